import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Socket } from "node:net";
import { largest } from "../../util/append.ts";
import { ThreadPool } from "../../util/thread-pool.ts";
import { FairLine } from "./fair-line.ts";
import { type Accounts, costOf } from "./htpasswd.ts";

/** Different passwords of one address that wait. Clients behind one address share it. */
const MAX_WAITING = 16;
/** The rest of a hash that no password has. */
const NO_HASH = "O".repeat(53);

/** Computes bcrypt. */
export interface Bcrypt extends AsyncDisposable {
  isRight(password: string, hash: string): Promise<boolean>;
}

interface Attempt {
  readonly clients: Set<Socket>;
  readonly outcome: Promise<boolean>;
}

/**
 * Checks passwords. Bcrypt is slow on purpose, so it runs in one thread of its own, and each right password is computed once:
 * after that, its keyed hash is compared. Names cannot be told apart by time: a wrong password
 * costs as much as one of the user whose hash is the slowest, also with a name that does not exist.
 */
export class PasswordCheck implements AsyncDisposable {
  readonly #accounts: Accounts;
  /** Of bcrypt, among all users. */
  readonly #highestCost: number;
  readonly #bcrypt: Bcrypt;
  /** Known to this process alone, so that its memory holds nothing that can be compared elsewhere. */
  readonly #key = randomBytes(32);
  /** Of right passwords, by user. */
  readonly #known = new Map<string, Buffer>();
  readonly #attempts = new Map<string, Attempt>();
  readonly #line = new FairLine();

  constructor(accounts: Accounts, bcrypt: Bcrypt = bcryptThread()) {
    this.#accounts = accounts;
    this.#bcrypt = bcrypt;
    this.#highestCost = largest([...accounts.values()].map(costOf));
  }

  /** @returns "busy" if too many passwords of this client's address wait. */
  async check(user: string, password: string, client: Socket): Promise<boolean | "busy"> {
    const sum = createHmac("sha256", this.#key).update(`${user}\0${password}`).digest();
    const known = this.#known.get(user);
    if (known !== undefined && timingSafeEqual(known, sum)) return true;
    const id = sum.toString("base64");
    const running = this.#attempts.get(id);
    if (running !== undefined) {
      running.clients.add(client);
      return await running.outcome;
    }
    const address = client.remoteAddress ?? "";
    if (this.#line.waiting(address) >= MAX_WAITING) return "busy";
    const clients = new Set([client]);
    const outcome = this.#line.run(address, async () => await this.#compute(user, password, clients));
    this.#attempts.set(id, { clients, outcome });
    try {
      const isRight = await outcome;
      if (isRight) this.#known.set(user, sum);
      return isRight;
    } finally {
      this.#attempts.delete(id);
    }
  }

  async #compute(user: string, password: string, clients: ReadonlySet<Socket>): Promise<boolean> {
    if ([...clients].every(({ destroyed }) => destroyed)) return false;
    const hash = this.#accounts.get(user);
    if (hash !== undefined && (await this.#bcrypt.isRight(password, hash))) return true;
    // Each cost is twice the one before, so 5 and 5, 6, 7 are together as much as 8.
    const costs = hash === undefined ? [this.#highestCost] : rangeOf(costOf(hash), this.#highestCost);
    for (const cost of costs) await this.#bcrypt.isRight(password, absentHash(cost));
    return false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#bcrypt[Symbol.asyncDispose]();
  }
}

function absentHash(cost: number): string {
  return `$2y$${String(cost).padStart(2, "0")}$${NO_HASH}`;
}

/** `from` to `to - 1` */
function rangeOf(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

function bcryptThread(): Bcrypt {
  const pool = new ThreadPool(new URL("./bcrypt-thread.mjs", import.meta.url), 1);
  return {
    isRight: async (password, hash) => (await pool.run({ password, hash })) === true,
    [Symbol.asyncDispose]: async () => await pool[Symbol.asyncDispose](),
  };
}
