import { Currency, format } from "./money";
import type { Item, Voucher } from "./types";

export interface Line {
  item: Item;
  count: number;
}

const FREE_SHIPPING = 50_00;
const FLAT_RATE = 4_95;

export class Cart {
  private lines: Line[] = [];
  private vouchers: Voucher[] = [];

  constructor(private readonly currency: Currency) {}

  add(item: Item, count = 1): void {
    const line = this.lines.find((each) => each.item.id === item.id);
    if (line) {
      line.count += count;
      return;
    }
    this.lines.push({ item, count });
  }

  remove(item: Item, count = 1): void {
    const line = this.lines.find((each) => each.item.id === item.id);
    if (!line) {
      return;
    }
    line.count -= count;
    if (line.count <= 0) {
      this.lines = this.lines.filter((each) => each !== line);
    }
  }

  redeem(voucher: Voucher): boolean {
    if (voucher.usedAt || this.vouchers.includes(voucher)) {
      return false;
    }
    this.vouchers.push(voucher);
    return true;
  }

  get subtotal(): number {
    return this.lines.reduce((sum, line) => sum + line.item.price * line.count, 0);
  }

  get shipping(): number {
    if (this.subtotal >= FREE_SHIPPING) {
      return 0;
    }
    return FLAT_RATE;
  }

  get total(): number {
    const off = this.vouchers.reduce((sum, voucher) => sum + voucher.amount, 0);
    return Math.max(0, this.subtotal + this.shipping - off);
  }

  toString(): string {
    const rows = this.lines.map((line) => {
      const price = format(line.item.price, this.currency);
      return `${line.count} x ${line.item.name}  ${price}`;
    });
    rows.push(`Total ${format(this.total, this.currency)}`);
    return rows.join("\n");
  }
}

export function merge(left: Cart, right: Cart): Cart {
  const merged = Object.create(left) as Cart;
  for (const line of right["lines"]) {
    merged.add(line.item, line.count);
  }
  return merged;
}
