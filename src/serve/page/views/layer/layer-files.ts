import { largest } from "../../../../util/append.ts";
import { type Html, html } from "../../html/html.ts";
import { type LayerEntry, modeText, setIdOf } from "../../model/layer/layer-entry.ts";
import { bar } from "../../parts/bar.ts";
import { foreign } from "../../parts/foreign.ts";
import { bytes } from "../../parts/quantity.ts";
import { cell, row, rowHead, table } from "../../parts/table.ts";

const COLUMNS = [
  { text: "Path" },
  { text: "Kind", style: "c-kind" },
  { text: "Mode", style: "c-mode" },
  { text: "Owner", style: "c-own2" },
  { text: "Size", style: "c-size num" },
];
/** Characters of a path or target: a page has hundreds of them, and real ones are shorter. */
const MAX_PATH = 512;

const KINDS: Readonly<Record<LayerEntry["kind"], string>> = {
  file: "file",
  folder: "folder",
  symlink: "link",
  hardlink: "hard link",
  device: "device",
  pipe: "pipe",
  other: "other",
  deletion: "− deletes it",
  emptying: "− empties folder",
};

/** A row for each entry. */
export function filesTable(entries: readonly LayerEntry[]): Html {
  return html`<div class="panel">${table(COLUMNS, entries.map(fileRow), { style: "files stack", caption: "Files of this layer" })}</div>\n`;
}

function fileRow(entry: LayerEntry): Html {
  const { kind, mode, uid, gid, path } = entry;
  const text = foreign(path, MAX_PATH);
  if (kind === "deletion" || kind === "emptying") {
    const cells = [rowHead(html`<del>${text}</del>`, "row"), cell(KINDS[kind]), cell("", "mono"), cell(""), NO_BYTES];
    return row(cells, { style: "gone" });
  }
  const right = setIdOf(entry);
  return row([
    rowHead(html`${text}${linkTarget(entry)}`, "row"),
    cell(right === undefined ? KINDS[kind] : `${right} ${KINDS[kind]}`),
    cell(modeText(mode), "mono"),
    cell(`${uid}:${gid}`),
    kind === "file" ? cell(bytes(entry.size), "num") : NO_BYTES,
  ]);
}

const NO_BYTES = cell(
  html`<span class="soft"><span aria-hidden="true">–</span><span class="hide">no bytes</span></span>`,
  "num",
);

/** `→ target`; of a hard link, the path of the same file. */
function linkTarget({ kind, target }: LayerEntry): Html | undefined {
  if (target === undefined) return undefined;
  if (kind === "symlink") return html` <span class="soft">→ ${foreign(target, MAX_PATH)}</span>`;
  return html` <span class="soft">= ${foreign(`/${target.replace(/^(?:\.?\/)+/, "")}`, MAX_PATH)}</span>`;
}

/** The largest files, to scale. */
export function largestFiles(entries: readonly LayerEntry[]): Html {
  const whole = Math.max(1, largest(entries.map(({ size }) => size)));
  const items = entries.map(
    ({ path, size }) =>
      html`<li><code>${foreign(path, MAX_PATH)}</code><span class="num">${bytes(size)}</span>${bar(6, [{ fill: "own", share: size / whole }])}</li>`,
  );
  return html`<ol class="big">${items}</ol>`;
}
