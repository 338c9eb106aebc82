import type { ListedReference } from "./listed-reference.ts";

/** `REFERENCE [PLATFORM[,…]] [-> NAME]`, as a list has it. */
export function formatListed({
  reference,
  platforms = [],
  name,
}: Pick<ListedReference, "reference" | "platforms" | "name">): string {
  return [
    reference,
    ...(platforms.length === 0 ? [] : [platforms.join(",")]),
    ...(name === undefined ? [] : ["->", name]),
  ].join(" ");
}
