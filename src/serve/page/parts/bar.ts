import { largest } from "../../../util/append.ts";
import { type Html, html } from "../html/html.ts";

/**
 * What a part of a bar means: `own` only of this one, `shared` also of others, `broken` damaged or not here, `void` not needed
 * or left out, `ok` checked, `bad` a damaged piece, `missing` a file that is not here.
 */
export type Fill = "own" | "shared" | "broken" | "void" | "ok" | "bad" | "missing";

export interface BarPart {
  readonly fill: Fill;
  /** Share of the bar, 0 to 1. */
  readonly share: number;
  /** Where it begins, 0 to 1. Default: where the part before it ends. */
  readonly at?: number;
}

/** A part that is not zero is at least 2 px of 300: the number next to the bar says what it is. */
const MIN_SHARE = 0.007;

/**
 * A bar, to scale. The text next to it has the numbers: a reader of the screen does not get the drawing.
 *
 * @param height px
 * @param hasTrack whether the rest of the bar is drawn, too
 */
export function bar(height: number, parts: readonly BarPart[], hasTrack = true): Html {
  let end = 0;
  const widths = fittedWidths(parts);
  const drawn = parts.map(({ fill, at = end }, index) => {
    const width = widths[index] ?? 0;
    const start = Math.max(0, Math.min(at, 1 - width));
    end = start + width;
    return width > 0 && filled(fill, start, width, height);
  });
  const track = html`<rect class="track" width="100%" height="${height}"/>`;
  return html`<svg class="bar" height="${height}" aria-hidden="true" focusable="false">${hasTrack && track}${drawn}</svg>`;
}

/** What tiny parts get in addition, the largest one gives; marks on others (`at`) take no room. */
function fittedWidths(parts: readonly BarPart[]): readonly number[] {
  const widths = parts.map(({ share }) => (share <= 0 ? 0 : Math.min(1, Math.max(share, MIN_SHARE))));
  const side = widths.map((width, index) => (parts[index]?.at === undefined ? width : 0));
  const excess = side.reduce((sum, width) => sum + width, 0) - 1;
  const first = side.indexOf(largest(side));
  return widths.map((width, index) => (index === first && excess > 0 ? Math.max(MIN_SHARE, width - excess) : width));
}

/** Parts of one whole that belong together: own, then shared. */
export function sharingParts(own: number, whole: number): readonly BarPart[] {
  if (whole === 0) return [];
  return [
    { fill: "own", share: own / whole },
    { fill: "shared", share: 1 - own / whole },
  ];
}

function filled(fill: Fill, start: number, width: number, height: number): Html {
  const place = html`x="${percent(start)}" width="${percent(width)}" height="${height}"`;
  switch (fill) {
    case "shared":
      return html`<rect ${place} fill="url(#shared)"/>`;
    case "broken":
      return html`<rect ${place} fill="url(#broken)"/><rect class="b-edge" ${place}/>`;
    case "missing":
      return html`<rect class="b-edge" ${place}/>`;
    default:
      return html`<rect class="b-${fill}" ${place}/>`;
  }
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)}%`;
}

/** What `fill="url(#…)"` names; once on a page that has bars. */
export const BAR_PATTERNS: Html = html`<svg class="defs" aria-hidden="true" focusable="false"><defs>
<pattern id="shared" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="b-fill" width="6" height="6"/><path class="b-line" d="M0 0V6"/></pattern>
<pattern id="broken" width="6" height="6" patternUnits="userSpaceOnUse"><rect class="b-crossbg" width="6" height="6"/><path class="b-cross" d="M0 0L6 6M6 0L0 6"/></pattern>
</defs></svg>`;

export interface LegendItem {
  /** Without it, the item is a sentence. */
  readonly fill?: Fill;
  readonly text: string | Html;
}

export function legend(items: readonly LegendItem[]): Html {
  return html`<ul class="legend">${items.map(({ fill, text }) => html`<li>${fill && swatch(fill)}${text}</li>`)}</ul>`;
}

function swatch(fill: Fill): Html {
  return html`<svg width="18" height="10" aria-hidden="true" focusable="false">${swatchRects(fill)}</svg>`;
}

function swatchRects(fill: Fill): Html {
  const whole = html`width="18" height="10"`;
  const inner = html`x="0.75" y="0.75" width="16.5" height="8.5"`;
  switch (fill) {
    case "shared":
      return html`<rect ${whole} fill="url(#shared)"/>`;
    case "broken":
      return html`<rect ${whole} fill="url(#broken)"/><rect class="b-edge" ${inner}/>`;
    case "missing":
      return html`<rect class="b-edge" ${inner}/>`;
    case "void":
      return html`<rect class="b-void" ${inner}/>`;
    default:
      return html`<rect class="b-${fill}" ${whole}/>`;
  }
}
