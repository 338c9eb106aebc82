import { createHash } from "node:crypto";
import { BARS } from "./bars.ts";
import { COMMANDS } from "./commands.ts";
import { COMPARE } from "./compare.ts";
import { DAMAGE } from "./damage.ts";
import { FILES } from "./files.ts";
import { FORMS } from "./forms.ts";
import { FRAME } from "./frame.ts";
import { GROUND } from "./ground.ts";
import { LAYERS } from "./layers.ts";
import { PANELS } from "./panels.ts";
import { PAPER } from "./paper.ts";
import { SMALL_PARTS } from "./small-parts.ts";
import { TABLES } from "./tables.ts";
import { TOKENS } from "./tokens.ts";
import { WIDTHS } from "./widths.ts";

const SHEETS: readonly string[] = [
  TOKENS,
  GROUND,
  FRAME,
  SMALL_PARTS,
  BARS,
  TABLES,
  FORMS,
  PANELS,
  LAYERS,
  COMMANDS,
  FILES,
  COMPARE,
  DAMAGE,
  WIDTHS,
  PAPER,
];

/** Text of the `style` element of every page and report: one request a page, and no script can change it. */
export const STYLESHEET: string = SHEETS.join("")
  .replace(/\/\*.*?\*\//gs, "")
  .replace(/\s*\n\s*/g, "\n")
  .trim();

/** What a Content-Security-Policy calls exactly this text (W3C CSP 3, section 2.3.1): `'sha256-…'`, with quotes. */
export function styleSource(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}
