import leaf, { boil as cook } from "./leaf.js";
import "./side.js";
const fs = require("fs");
export { strain } from "./strain.js";

const LIMIT = 3;
export const kettle = {
  heat(degrees) {
    return cook(degrees);
  },
  cool: () => fs.cool(),
};

export default class Pot extends Vessel {
  static MOST = 10;
  #level = 0;
  warm = () => this.heat();

  constructor(size) {
    super(size);
  }

  get size() {
    return this.#level;
  }

  async pour(cup) {
    return new Cup(cup.fill(LIMIT));
  }
}

export function steep(leaf) {
  return brew(leaf);
}

function* drops() {}

const sip = async (cup) => {
  cup.sip();
};

let memo = once(function () {});

module.exports = { steep };
module.exports.strain = function (cup) {};
exports.rinse = (cup) => cup;
Pot.prototype.empty = function () {};

describe("a pot", () => {
  it("pours", () => {
    steep(1);
  });
});
