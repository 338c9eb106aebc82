import { UsageError } from "../../errors.ts";
import { quote } from "../../util/format.ts";

/** What references of a registry begin with. */
export const V1_REGISTRY = "v1://";
/** What references of a storage folder begin with. */
export const V1_FOLDER = "v1+dir:";

/** Whether a text names something of the v1 protocol: every other reader of references leaves it alone. */
export function isV1Reference(text: string): boolean {
  return text.startsWith(V1_REGISTRY) || text.startsWith(V1_FOLDER);
}

/**
 * Whether the references of a call are those of the v1 protocol. What is no reference at all is for the others to refuse.
 *
 * @throws UsageError if some are, and some are not.
 */
export function hasV1(references: readonly unknown[]): boolean {
  if (!Array.isArray(references)) return false;
  const texts = references.map(textOf);
  const old = texts.find(text => text !== undefined && isV1Reference(text));
  if (old === undefined) return false;
  const other = texts.find(text => text !== undefined && !isV1Reference(text));
  if (other === undefined) return true;
  throw new UsageError(
    `Cannot use ${quote(old)} with ${quote(other)}: found v1 and other references, expected one kind`,
    {
      hint: "Run the command once for each kind.",
    },
  );
}

function textOf(reference: unknown): string | undefined {
  if (typeof reference !== "object" || reference === null) return typeof reference === "string" ? reference : undefined;
  return "reference" in reference && typeof reference.reference === "string" ? reference.reference : undefined;
}
