import type { Leaf } from "./leaf";
import { boil } from "./water";
import fs = require("fs");
export * from "./strain";

export const LIMIT = 3;
export type Leaves = Leaf[];

export interface Heated extends Warm {
  degrees: number;
  heat(to: number): void;
}

export enum Size {
  Small = "s",
  Large = "l",
}

@decorated()
export class Pot extends Vessel implements Heated {
  static readonly MOST = 10;
  private leaf?: Leaf;
  cool = (): void => this.heat(0);

  constructor(public size: number) {
    super(size);
  }

  abstract warm(): void;

  async pour(cup: Cup): Promise<Cup> {
    await boil(cup);
    return new Cup(cup.fill(LIMIT));
  }
}

abstract class Base {
  abstract open(): void;
}

namespace Kitchen {
  export function close() {}
}

declare module "tea" {
  function rinse(cup: Cup): void;
}

declare const VERSION: string;

export function steep(leaf: Leaf): Tea;
export function steep(leaf: any) {
  return brew<Tea>(leaf);
}

export const sip = async (cup: Cup) => {
  cup.sip();
};

export default function () {}
