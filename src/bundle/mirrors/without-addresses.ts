import type { NotPossible } from "./mirror-file.ts";
import type { MirroredRegistry, MirrorPlan } from "./mirror-plan.ts";

/** Whether a registry is an IPv6 address: `[::1]:5000`. */
export function isAddress(registry: string): boolean {
  return registry.startsWith("[");
}

/**
 * The registries of a plan for a runtime that reads no IPv6 addresses as names of registries.
 *
 * @param runtime begins the reason.
 */
export function withoutAddresses(
  { target, registries }: MirrorPlan,
  runtime: string,
): { readonly possible: readonly MirroredRegistry[]; readonly notPossible: readonly NotPossible[] } {
  const isPossible = ({ registry }: MirroredRegistry): boolean => !isAddress(registry) && !isAddress(target.registry);
  const advice = isAddress(target.registry) ? ": give --to a name of the mirror" : "";
  const why = `${runtime} reads no IPv6 address as a registry${advice}`;
  return {
    possible: registries.filter(isPossible),
    notPossible: registries
      .filter(registry => !isPossible(registry))
      .flatMap(({ repositories }) => repositories.map(repository => ({ repository, why }))),
  };
}
