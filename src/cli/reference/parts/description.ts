import type { FlagDefinition } from "../../definitions/command-definition.ts";

/** What a flag does, and whether it must or may be given more than once. */
export function descriptionOf({ text, isRepeatable, isRequired }: FlagDefinition): string {
  const marks = [...(isRequired ? ["required"] : []), ...(isRepeatable ? ["repeatable"] : [])];
  return marks.length === 0 ? text : `${text}; ${marks.join(", ")}`;
}
