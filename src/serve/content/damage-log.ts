import type { Digest } from "../../oci/digest.ts";
import type { FoundDamage } from "./served-registry.ts";

/** Is called once for each damage that is found. */
export type DamageReport = (damage: FoundDamage) => void;

/** What is damaged, and how often what is served has changed. */
export class DamageLog {
  readonly #onDamage: DamageReport;
  readonly #found = new Map<string, FoundDamage>();
  #generation = 0;

  constructor(onDamage: DamageReport) {
    this.#onDamage = onDamage;
  }

  /** Rises with every change of what is served, and with every damage. */
  get generation(): number {
    return this.#generation;
  }

  get found(): readonly FoundDamage[] {
    return [...this.#found.values()];
  }

  /** Each digest, or else each file, is reported once. */
  readonly add: DamageReport = damage => {
    const key = damage.digest ?? damage.path;
    if (this.#found.has(key)) return;
    this.#found.set(key, damage);
    this.#generation += 1;
    this.#onDamage(damage);
  };

  find(digest: Digest): FoundDamage | undefined {
    return this.#found.get(digest);
  }

  /** What is served has changed. @param repaired content that is there again, or that is not wanted any more. */
  change(repaired?: Digest): void {
    if (repaired !== undefined) this.#found.delete(repaired);
    this.#generation += 1;
  }
}
