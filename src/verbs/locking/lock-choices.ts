import type { Lock } from "../../bundle/lock/lock.ts";
import { UsageError } from "../../errors.ts";
import { formatPlatform, parsePlatform } from "../../oci/platform.ts";
import { listOf } from "../options/option-values.ts";

interface Choices {
  readonly platform?: string | readonly string[] | undefined;
  readonly sparse?: string | undefined;
  readonly referrers?: boolean | undefined;
  readonly layers?: string | undefined;
  readonly for?: string | undefined;
  readonly base?: string | readonly string[] | undefined;
}

/** The options of a call, with the choices that a lock has made. @throws UsageError for those that contradict it. */
export function withLockChoices<T extends Choices>(options: T, lock: Lock): T {
  checkLockChoices(lock, options);
  const { platforms, sparse, referrers } = lock;
  const layers = options.layers ?? (options.for === undefined ? lock.layers : undefined);
  return { ...options, platform: platforms, sparse, referrers, layers };
}

function checkLockChoices(lock: Lock, { platform, sparse, referrers, layers, base, ...others }: Choices): void {
  const platforms = listOf(platform).map(text => (text === "all" ? text : formatPlatform(parsePlatform(text))));
  const asked = [...new Set(platforms)].sort().join(",");
  const refuse = (flag: string, found: string, expected: string): never => {
    throw new UsageError(`Cannot use ${flag} with a lock: found ${found}, expected ${expected} as in the lock`, {
      hint: "Leave it out: a lock has made this choice. Lock the images again to make another one.",
    });
  };
  if (platforms.length > 0 && asked !== lock.platforms.join(",")) refuse("--platform", asked, lock.platforms.join(","));
  if (sparse !== undefined && sparse !== lock.sparse) refuse("--sparse", sparse, lock.sparse);
  // Without the flag, a lock without referrers has none.
  if (referrers === false && lock.referrers) refuse("--no-referrers", "none wanted", "those");
  const locked = lock.layers ?? "keep";
  if (base !== undefined && lock.assumes !== undefined) refuse("--base", listOf(base).join(", "), "the bases");
  if (layers !== undefined && others.for === undefined && layers !== locked) refuse("--layers", layers, locked);
}
