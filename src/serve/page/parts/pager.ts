import { type Html, html } from "../html/html.ts";
import { numeral } from "./quantity.ts";

/** Some of a list that is longer. */
export interface PageOf<T> {
  readonly entries: readonly T[];
  /** From 1. */
  readonly page: number;
  /** At least 1. */
  readonly pages: number;
  /** Index of the first entry in the whole list. */
  readonly start: number;
  /** Entries of the whole list. */
  readonly total: number;
}

/** Pages of a list; an empty one has a page, too. */
export function pageCount(total: number, size: number): number {
  return Math.max(1, Math.ceil(total / size));
}

/** @returns undefined for a page that does not exist */
export function pageOf<T>(all: readonly T[], page: number, size: number): PageOf<T> | undefined {
  const pages = pageCount(all.length, size);
  if (page > pages) return undefined;
  const start = (page - 1) * size;
  return { entries: all.slice(start, start + size), page, pages, start, total: all.length };
}

/** The number in `?page=`. What is no whole number from 1 counts as 1. */
export function pageNumber(text: string | null): number {
  return text !== null && /^[1-9]\d{0,14}$/.test(text) ? Number(text) : 1;
}

/** `201–300 of 1 000` */
export function rangeOf({ start, entries, total }: PageOf<unknown>): string {
  return `${numeral(start + 1)}–${numeral(start + entries.length)} of ${numeral(total)}`;
}

/**
 * Links to the pages of a list; nothing if there is one page.
 *
 * @param place two lists of links on one page need two names: "top", "bottom"
 * @param hrefOf link to a page
 */
export function pager(
  what: string,
  list: PageOf<unknown>,
  place: string,
  hrefOf: (page: number) => string,
): Html | undefined {
  const { page, pages } = list;
  if (pages === 1) return undefined;
  const numbers = shownPages(page, pages).map(number => {
    if (number === undefined) return html`<li><span class="gap" aria-hidden="true">&hellip;</span></li>`;
    const text = html`<span class="hide">Page </span>${numeral(number)}`;
    if (number === page) return html`<li><span class="here" aria-current="page">${text}</span></li>`;
    return html`<li><a href="${hrefOf(number)}">${text}</a></li>`;
  });
  const previous = page > 1 && html`<li><a href="${hrefOf(page - 1)}" rel="prev">Previous</a></li>`;
  const next = page < pages && html`<li><a href="${hrefOf(page + 1)}" rel="next">Next</a></li>`;
  return html`<nav class="pages" aria-label="Pages, ${place}"><p class="soft">${what} ${rangeOf(list)}</p><ul>${previous}${numbers}${next}</ul></nav>\n`;
}

/** First, last, and those next to this one; undefined is a gap. */
function shownPages(page: number, pages: number): readonly (number | undefined)[] {
  const near = [1, page - 1, page, page + 1, pages].filter(number => number >= 1 && number <= pages);
  const numbers = [...new Set(near)];
  return numbers.flatMap((number, index) => (number - (numbers[index - 1] ?? 0) > 1 ? [undefined, number] : [number]));
}
