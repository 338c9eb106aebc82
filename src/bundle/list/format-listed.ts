import { parseReference } from "../../oci/reference.ts";
import type { ListedReference } from "./listed-reference.ts";

/** `REFERENCE [PLATFORM[,…]] [-> NAME]`, as a list has it. A digest that is not in the name is put into the reference. */
export function formatListed({
  reference,
  platforms = [],
  name,
  digest,
}: Pick<ListedReference, "reference" | "platforms" | "name" | "digest">): string {
  const isAdded = digest !== undefined && !reference.includes("@");
  const tagged = isAdded && parseReference(reference).tag === undefined ? `${reference}:latest` : reference;
  const given = name ?? (isAdded ? tagged : undefined);
  return [
    isAdded ? `${tagged}@${digest}` : reference,
    ...(platforms.length === 0 ? [] : [platforms.join(",")]),
    ...(given === undefined ? [] : ["->", given]),
  ].join(" ");
}
