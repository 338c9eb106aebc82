import { type Html, html, type Part } from "../../html/html.ts";
import type { Catalogue } from "../../model/catalogue.ts";
import type { ComparedBytes } from "../../model/compare/compare-steps.ts";
import { bar, legend } from "../../parts/bar.ts";
import { section } from "../../parts/blocks.ts";
import { bytes } from "../../parts/quantity.ts";
import { bundleKey } from "../bundle-words.ts";
import { plainFileName } from "../fault-words.ts";

/** Names that the form suggests. */
const MAX_SUGGESTED = 500;
/** Longer than any name that an image can have. */
const MAX_NAME = 512;

/** What is compared. */
export interface CompareChoice {
  readonly a: string;
  readonly b: string;
  /** Label of a platform; empty for the first that both have. */
  readonly platform: string;
}

export function readCompareChoice(query: URLSearchParams): CompareChoice {
  const text = (name: string): string => (query.get(name) ?? "").slice(0, MAX_NAME).trim();
  return { a: text("a"), b: text("b"), platform: text("platform") };
}

/** What can be compared: bundles, if there are several, and images. */
export interface Suggestion {
  readonly value: string;
  readonly label?: string;
}

export function suggestions({ parts, images }: Catalogue): readonly Suggestion[] {
  const bundles = parts.map(part => ({
    value: bundleKey(part),
    label: `bundle in ${plainFileName(part.files[0] ?? "")}`.slice(0, MAX_NAME),
  }));
  return [...(parts.length > 1 ? bundles : []), ...images.slice(0, MAX_SUGGESTED).map(({ name }) => ({ value: name }))];
}

/** @param platforms to choose from; no choice if there are fewer than two */
export function compareForm(
  { a, b, platform }: CompareChoice,
  suggested: readonly Suggestion[],
  platforms: readonly string[] = [],
): Html {
  const field = (name: string, label: string, value: string): Html =>
    html`<label class="grow">${label}<input name="${name}" value="${value}" maxlength="${MAX_NAME}" list="names" autocomplete="off" spellcheck="false"></label>\n`;
  const options = platforms.map(
    each =>
      html`<option value="${each}"${each === platform && html` selected`}>${each === "" ? "not stated" : each}</option>`,
  );
  const choice = platforms.length > 1 && html`<label>Platform<select name="platform">${options}</select></label>\n`;
  const names = suggested
    .slice(0, MAX_SUGGESTED)
    .map(
      ({ value, label }) => html`<option value="${value}"${label !== undefined && html` label="${label}"`}></option>`,
    );
  return html`<form class="find" method="get" action="/compare" aria-label="What to compare">${field("a", "A, before", a)}${field("b", "B, after", b)}${choice}<button>Compare</button><datalist id="names">${names}</datalist></form>\n`;
}

/** Only A, both, only B, to one scale. */
export function inOneLine({ onlyA, both, onlyB }: ComparedBytes): Html {
  const whole = Math.max(1, onlyA + both + onlyB);
  const drawn = bar(
    18,
    [
      { fill: "void", share: onlyA / whole },
      { fill: "shared", share: both / whole },
      { fill: "own", share: onlyB / whole },
    ],
    false,
  );
  const items = legend([
    { fill: "void", text: `${bytes(onlyA)} only in A` },
    { fill: "shared", text: `${bytes(both)} in both` },
    { fill: "own", text: `${bytes(onlyB)} only in B` },
  ]);
  return section("sum", "In one line", "drawn to scale, compressed bytes", drawn, items);
}

/** The letter of a side. */
export function sideMark(letter: "A" | "B"): Html {
  return html`<span class="ab">${letter}</span>`;
}

export function nothing(): Part {
  return html`<span class="soft">–</span>`;
}
