import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Dialect, dialects } from "./dialects.ts";
import type { RuntimeName } from "./runtimes.ts";

/** What a column of the table is made of. */
export type Column = "read" | "push" | "stdin" | "pull" | RuntimeName | "convert";

/** By archive; a cell that is missing did not come out. */
export type Results = ReadonlyMap<string, ReadonlyMap<Column, string>>;

const document = fileURLToPath(new URL("../../../docs/FORMATS.md", import.meta.url));
const BEGIN = "<!-- Made by test/integration/matrix.test.ts: IMGPACK_UPDATE_FORMATS=1 regenerates it. -->";
const END = "<!-- end -->";

/** The table of docs/FORMATS.md, from what the matrix found. @param versions as `20.10.24`. */
export function formatsTable(results: Results, versions: Readonly<Record<RuntimeName, string>>): string {
  const minor = (name: RuntimeName): string => versions[name].split(".").slice(0, 2).join(".");
  const head = [
    "form",
    "written by",
    "read",
    "push in one pass",
    `docker ${minor("docker")}`,
    `podman ${minor("podman")}`,
    `containerd ${minor("containerd")}`,
    "shown by",
    "what is odd",
  ];
  const rows = dialects.map(dialect => {
    const cell = (column: Column): string => combined(dialect, results, column);
    const loads = [cell("docker"), cell("podman"), cell("containerd")];
    return [dialect.form, dialect.by, cell("read"), cell("stdin"), ...loads, shownBy(dialect), dialect.odd];
  });
  return [head, head.map(() => "---"), ...rows].map(cells => `| ${cells.join(" | ")} |`).join("\n");
}

/** Why the table in the document is not one of these versions; undefined: it is. */
export function otherVersions(table: string): string | undefined {
  const [there, here] = [tableInDocument(), table].map(text => text.split("\n")[0]);
  return there === here ? undefined : `the table was made with other versions: ${there}`;
}

export function tableInDocument(): string {
  const text = readFileSync(document, "utf8");
  const [start, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (start < 0 || end < start) throw new Error("docs/FORMATS.md has no place for the table");
  return text.slice(start + BEGIN.length, end).trim();
}

export function writeTable(table: string): void {
  const text = readFileSync(document, "utf8");
  writeFileSync(
    document,
    text.replace(tableInDocument(), () => table),
  );
}

/** What all archives of the row have in common; else each outcome once. */
function combined({ fixtures = [], shapes = [] }: Dialect, results: Results, column: Column): string {
  const outcomes = new Set([...fixtures, ...shapes].map(name => results.get(name)?.get(column) ?? "FAILED"));
  // What can only be so is no outcome of this dialect: a folder is no stream, several images are named at the end.
  if (column === "stdin" && outcomes.has("yes")) for (const other of ["–", "spooled"]) outcomes.delete(other);
  return [...outcomes].sort().reverse().join(", ");
}

function shownBy({ fixtures = [], shapes = [] }: Dialect): string {
  const real = fixtures.length > 0 ? [`${fixtures.length} real`] : [];
  const generated = shapes.length > 0 ? [`${shapes.length} generated`] : [];
  return [...real, ...generated].join(", ");
}
