import { alternatives, quote } from "../../util/format.ts";
import { nearestWords } from "../../util/nearest/nearest-words.ts";
import type { CommandDefinition, FlagDefinition } from "../definitions/command-definition.ts";
import { HELP, VERSION } from "../definitions/common-flags.ts";
import { redactedWords } from "../log/redacted-words.ts";
import { shellWord } from "./command-template.ts";
import { nearestOtherFlag, otherFlag } from "./other-flags.ts";
import type { TypedFlag, TypedLine } from "./typed-line.ts";

/** Commands that are named when they have the flag. */
const MAX_COMMANDS = 3;

/** What was meant by the first flag that the command does not have, or by a value that a flag does not take: a sentence. */
export function flagAdvice(
  command: CommandDefinition,
  { flags, others }: TypedLine,
  commands: readonly CommandDefinition[],
): string | undefined {
  const unknown = flags.find(({ definition }) => definition === undefined);
  if (unknown !== undefined) return unknownAdvice(command, unknown, others, commands);
  for (const { spelled, value, definition } of flags) {
    const nearest = nearestChoice(definition?.value, value);
    if (nearest !== undefined) return `Did you mean ${spelled} ${nearest}?`;
  }
  for (const [at, { value }] of command.positionals.entries()) {
    const nearest = nearestChoice(value, others[at]);
    if (nearest !== undefined) return `Did you mean ${quote(nearest)}?`;
  }
  return undefined;
}

/** Placeholders of values that are words of a list, or these with a number. */
const CLOSED: ReadonlySet<string> = new Set(["METHOD[:LEVEL]", "RUNTIME", "OS/ARCH[/VARIANT]"]);

function nearestChoice(value: FlagDefinition["value"], given: string | undefined): string | undefined {
  if (given === undefined || value === undefined || value.choices.includes(given)) return undefined;
  // Most words are right where others may stand.
  if (value.kind !== "choice" && !CLOSED.has(value.placeholder)) return undefined;
  // `arm64`
  return value.choices.find(choice => choice.endsWith(`/${given}`)) ?? nearestWords(given, value.choices)[0];
}

function unknownAdvice(
  command: CommandDefinition,
  flag: TypedFlag,
  others: readonly string[],
  commands: readonly CommandDefinition[],
): string | undefined {
  const { name, spelled } = flag;
  const own = [...command.flags, HELP, VERSION].map(each => each.name);
  const value = harmless(flag, flag.value);
  const meant = (found: string): string => {
    const takesValue = command.flags.find(each => each.name === found)?.value !== undefined;
    return `--${found}${takesValue && value !== undefined ? `=${value}` : ""}`;
  };
  if (own.includes(name)) return `Did you mean ${meant(name)}?`;
  const given = value ?? harmless(flag, flag.next);
  if (name === "all-tags" || name === "a") {
    if (command.positionals.some(({ value: { kind } }) => kind === "reference")) return allTags(others[0]);
    if (command.name === "push") return tagsOfEngine(others[0]);
  }
  const foreign = otherFlag(name, given, command.name, own);
  if (foreign !== undefined) return foreign;
  const positive = name.replace(/^no-/, "");
  const opposite = command.flags.find(each => each.name === positive);
  if (opposite !== undefined && opposite.value === undefined) return `Leave out --${positive}: it is off by default.`;
  const nearest = nearestWords(name, own, 2);
  if (nearest.length > 0) return `Did you mean ${alternatives(nearest.map(meant))}?`;
  const other = otherFlag(nearestOtherFlag(name) ?? "", given, command.name, own);
  if (other !== undefined) return other;
  const having = commands.flatMap(each => (each.flags.some(one => one.name === name) ? [each.name] : []));
  if (having.length === 0 || !spelled.startsWith("--")) return undefined;
  const more = having.length > MAX_COMMANDS ? [...having.slice(0, MAX_COMMANDS - 1), "others"] : having;
  const names = more.length === 1 ? more : [`${more.slice(0, -1).join(", ")} and ${more.at(-1)}`];
  return `--${name} is a flag of ${names.join("")}.`;
}

/** @returns undefined for no value, for one that may be a secret, and for what is no word of a shell */
function harmless({ spelled }: TypedFlag, value: string | undefined): string | undefined {
  if (value === undefined || redactedWords([spelled, value])[1] !== value) return undefined;
  return shellWord(value);
}

/** `docker push --all-tags`. */
function tagsOfEngine(image: string | undefined): string {
  const named = image === undefined ? undefined : shellWord(image.replace(/:[^/:]*$/, ""));
  return `Name each image of Docker: imgpack push docker://${named ?? "NAME"}:TAG.`;
}

function allTags(reference: string | undefined): string {
  const named = reference === undefined ? undefined : shellWord(`${reference.replace(/:[^/:]*$/, "")}:*`);
  return `Name the tags with a wildcard: ${named ?? "'REPOSITORY:*'"}.`;
}
