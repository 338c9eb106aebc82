import type { Inspection } from "../../index.ts";
import { escapeForeign, quote } from "../../util/format.ts";

type Layer = Inspection["images"][number]["platforms"][number]["layers"][number];
type Named = Pick<Inspection["images"][number], "names" | "badNames">;

/** The names of an image, and what its archive has in place of names; empty without both. */
export function imageNames({ names, badNames = [] }: Named): string {
  const bad = badNames.map(text => `${quote(text)} (no registry takes this name)`);
  return [...names.map(text => escapeForeign(text)), ...bad].join(", ");
}

/** A line for a foreign layer that is not there; none for any other layer. */
export function absentLayer({ digest, absentFrom }: Layer): readonly string[] {
  if (absentFrom === undefined) return [];
  const hosts = absentFrom.map(host => escapeForeign(host)).join(", ");
  return [`Not here: foreign layer ${digest}${hosts === "" ? "" : `, from ${hosts}`}`];
}
