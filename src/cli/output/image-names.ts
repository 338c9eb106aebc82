import type { Inspection } from "../../index.ts";
import { escapeForeign, quote } from "../../util/format.ts";

type Named = Pick<Inspection["images"][number], "names" | "badNames">;

/** The names of an image, and what its archive has in place of names; empty without both. */
export function imageNames({ names, badNames = [] }: Named): string {
  const bad = badNames.map(text => `${quote(text)} (no registry takes this name)`);
  return [...names.map(text => escapeForeign(text)), ...bad].join(", ");
}
