import { groupedBy, largest } from "../../../../util/append.ts";
import type { FoundDamage } from "../../../content/served-registry.ts";
import { type Html, html } from "../../html/html.ts";
import type { BrokenBlob, Catalogue, ListedImage } from "../../model/catalogue.ts";
import { bar, legend } from "../../parts/bar.ts";
import { section } from "../../parts/blocks.ts";
import { digestCode } from "../../parts/digest-code.ts";
import { breakable, foreign } from "../../parts/foreign.ts";
import { imageHref } from "../../parts/links.ts";
import { bytes, many, numeral } from "../../parts/quantity.ts";
import { state } from "../../parts/state.ts";
import { cell, row, rowHead, table } from "../../parts/table.ts";
import { brokenWords, fileName, plainFileName } from "../fault-words.ts";

const MAX_ROWS = 200;

/** The files that are served, to scale, and the volumes that are not there; nothing for a store. */
export function filesSection({ bundle }: Catalogue, damage: readonly FoundDamage[]): Html | false {
  if (bundle === undefined) return false;
  const { files, volumes, absent, pieces } = bundle;
  const scale = largest(files.map(({ size }) => size));
  const found = groupedBy(damage, ({ path }) => plainFileName(path));
  const here = files.map(({ name, size, volume }) => {
    const count = found.get(plainFileName(name))?.length ?? 0;
    const hasChanged = found.get(plainFileName(name))?.some(each => each.hasChanged) === true;
    const hurt = hasChanged ? "changed since the start" : `${many(count, "blob")} damaged`;
    const words = count === 0 ? "no damage found" : state("bad", hurt);
    const drawn = bar(14, [{ fill: count === 0 ? "ok" : "broken", share: scale === 0 ? 0 : size / scale }], false);
    const text = html`<li><span>${volume !== undefined && html`<strong>${volume}</strong> `}${fileName(name)} &middot; ${words}</span><span class="num">${bytes(size)}</span>${drawn}</li>`;
    return { volume, text };
  });
  const lost = (volumes?.missing ?? []).map(volume => {
    const lacking = absent.filter(blob => blob.volumes.includes(volume)).reduce((sum, { size }) => sum + size, 0);
    const drawn = bar(14, [{ fill: "missing", share: 1 }], false);
    const text = html`<li><span><strong>${volume}</strong> &middot; ${state("bad", "missing")}</span><span class="num">${bytes(lacking)}</span>${drawn}</li>`;
    return { volume, text };
  });
  const all = [...here, ...lost].sort((left, right) => (left.volume ?? 0) - (right.volume ?? 0));
  const fills = legend([
    { fill: "ok", text: "no damage found" },
    { fill: "broken", text: "with damage" },
    { fill: "missing", text: "missing: its size is not known, the number is what images need of it" },
  ]);
  const checked = html`<p class="small soft">Checked while serving: ${numeral(pieces.checked)} of ${many(pieces.of, "piece")} so far. <span class="mono">imgpack verify</span> checks all of them.</p>`;
  const title = volumes === undefined ? "Files" : "Volumes";
  return section(
    "files",
    title,
    "drawn to scale",
    html`<ol class="volumes panel pad">${all.slice(0, MAX_ROWS).map(({ text }) => text)}</ol>`,
    fills,
    checked,
  );
}

/** Each damaged blob, with a mark at the bytes that are wrong. */
export function damagedSection({ images }: Catalogue, damage: readonly FoundDamage[]): Html | false {
  if (damage.length === 0) return false;
  const sizes = new Map(images.flatMap(({ broken }) => broken.map(({ digest, size }) => [digest, size] as const)));
  const rows = damage.slice(0, MAX_ROWS).map(({ digest, range, path, found }) => {
    const size = digest === undefined ? undefined : sizes.get(digest);
    const isPlaced = range !== undefined && size !== undefined && size > 0;
    const parts = isPlaced
      ? [
          { fill: "ok" as const, share: 1 },
          { fill: "bad" as const, share: (range.end - range.start) / size, at: range.start / size },
        ]
      : [{ fill: "bad" as const, share: 1 }];
    const where = range !== undefined && html` &middot; bytes ${numeral(range.start)}&ndash;${numeral(range.end - 1)}`;
    const what = digest === undefined ? "all" : digestCode(digest);
    return html`<li><span>${what} in ${fileName(path)}${where}<br><span class="small soft">found: ${foreign(found, MAX_FOUND)}</span></span><span class="num">${size !== undefined && bytes(size)}</span>${bar(14, parts, false)}</li>`;
  });
  return section(
    "damaged",
    "Damaged content",
    "each bar is one blob; red marks the bytes that are wrong",
    html`<ol class="volumes panel pad">${rows}</ol>`,
  );
}

const MAX_FOUND = 200;

/** Images that cannot be pulled whole, and which of their blobs is the reason. */
export function affectedSection({ images }: Catalogue, damage: readonly FoundDamage[]): Html | false {
  const affected = images.filter(({ broken }) => broken.length > 0);
  if (affected.length === 0) return false;
  const files = new Map(damage.flatMap(({ digest, path }) => (digest === undefined ? [] : [[digest, path] as const])));
  const columns = [
    { text: "Image" },
    { text: "What is wrong" },
    { text: "Blob" },
    { text: "Where" },
    { text: "Needed", style: "num" },
  ];
  const rows = affected.slice(0, MAX_ROWS).map(image => affectedRow(image, files));
  const more =
    affected.length > MAX_ROWS &&
    html`<p class="note small">The first ${numeral(MAX_ROWS)} are shown. <a href="/?show=damaged">All of them</a></p>`;
  const note = `${numeral(affected.length)} of ${numeral(images.length)}; the others are whole`;
  return section(
    "affected",
    "Affected images",
    note,
    html`<div class="panel">${table(columns, rows, { labelledBy: "affected" })}</div>`,
    more,
  );
}

function affectedRow(image: ListedImage, files: ReadonlyMap<BrokenBlob["digest"], string>): Html {
  const { name, broken } = image;
  const [first] = broken;
  const more =
    broken.length > 1 && html` <span class="small soft">and ${many(broken.length - 1, "more", "more")}</span>`;
  const volumes = [...new Set(broken.flatMap(each => each.volumes))];
  const paths = [...new Set(broken.flatMap(({ digest }) => files.get(digest) ?? []))];
  const where = [
    ...paths.slice(0, 3).map(path => fileName(path)),
    ...volumes.slice(0, 8).map(volume => html`volume ${volume}`),
  ];
  const needed = broken.reduce((sum, { size }) => sum + size, 0);
  return row(
    [
      rowHead(html`<a href="${imageHref(name)}">${breakable(name)}</a>`, "row"),
      cell(state("bad", brokenWords(image)), "row"),
      cell(html`${first !== undefined && digestCode(first.digest)}${more}`, "row"),
      cell(
        where.map((part, index) => html`${index > 0 && ", "}${part}`),
        "row small",
      ),
      cell(bytes(needed), "num"),
    ],
    { style: "hurt" },
  );
}
