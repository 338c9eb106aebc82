import type { ValueKind } from "../../definitions/command-definition.ts";
import type { Answer, Candidate } from "./answer.ts";
import { completeName } from "./complete-name.ts";
import type { NameSources } from "./name-sources.ts";
import type { ReadLine, Slot } from "./read-line.ts";

type ValueSlot = Extract<Slot, { kind: "value" }>;

const ARCHIVES = [".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.xz", ".tar.bz2", ".volumes", ".lock"];
const LISTS = [".lock", ".txt", ".json", ".yaml", ".yml", ".need", ".volumes"];
const CERTIFICATES = [".pem", ".crt", ".cer"];
const PRIVATE_KEYS = [".pem", ".key"];

/** Endings of the files that a flag or an argument usually names. */
const ENDINGS: Readonly<Record<string, readonly string[]>> = {
  "ca-file": CERTIFICATES,
  "cert-file": CERTIFICATES,
  "key-file": PRIVATE_KEYS,
  sign: PRIVATE_KEYS,
  key: [".pub", ".pem", ".key"],
  "require-signature": [".pub", ".pem", ".key"],
  "from-file": LISTS,
  set: [".sha256", ".volumes"],
};

const FILES_OF: Readonly<Record<ValueKind, Answer["files"]>> = {
  file: "files",
  "new-file": "files",
  archive: "files",
  source: "files",
  folder: "folders",
  reference: "none",
  repository: "none",
  host: "none",
  number: "none",
  choice: "none",
  topic: "none",
  text: "none",
};

/** What fits as the value of a flag or an argument. */
export async function completeValue(slot: ValueSlot, line: ReadLine, names: NameSources): Promise<Answer> {
  const { name, value, prefix } = slot;
  const offered = [...choices(slot), ...(await completeName(slot, line, names))];
  const isOfArchives = value.kind === "archive" || value.kind === "source";
  return {
    candidates: offered.map(({ value: word, text }) => ({ value: `${prefix}${word}`, text })),
    files: FILES_OF[value.kind],
    endings: ENDINGS[name] ?? (isOfArchives ? ARCHIVES : []),
    prefix,
  };
}

/** Allowed values, also the next one of a list with commas. */
function choices({ value, typed }: ValueSlot): readonly Candidate[] {
  const isList = value.kind === "text" && typed.includes(",");
  const before = isList ? typed.slice(0, typed.lastIndexOf(",") + 1) : "";
  const taken = before.split(",");
  return value.choices
    .filter(choice => !taken.includes(choice))
    .map(choice => ({ value: `${before}${choice}`, text: "" }));
}
