import type { Edition } from "./edition.ts";
import { bold, paragraph, request, roff } from "./roff.ts";

/** A page of the manual. */
export interface ManPage {
  readonly name: string;
  readonly section: 1 | 7;
  /** roff, with a line feed at the end. */
  readonly text: string;
}

export type PageReference = Pick<ManPage, "name" | "section">;

/** The page with its head, and the line that `man -k` finds. */
export function manPage(
  { name, section, summary }: PageReference & { readonly summary: string },
  { version, date }: Edition,
  body: readonly string[],
): ManPage {
  const lines = [
    '.\\" made by npm run reference from src/cli: do not edit',
    request("TH", name.toUpperCase(), String(section), date, `imgpack ${version}`, "imgpack manual"),
    // No hyphen is added to what is to be copied.
    ".nh",
    ".ad l",
    request("SH", "NAME"),
    ...paragraph(`${roff(name)} \\- ${roff(summary)}`),
    ...body,
  ];
  return { name, section, text: `${lines.join("\n")}\n` };
}

export function seeAlso(pages: readonly PageReference[]): readonly string[] {
  return [
    request("SH", "SEE ALSO"),
    ...paragraph(pages.map(({ name, section }) => `${bold(name)}(${section})`).join(", ")),
  ];
}
