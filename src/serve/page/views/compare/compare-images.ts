import { largest } from "../../../../util/append.ts";
import { type Html, html, type Part } from "../../html/html.ts";
import type { Catalogue, ListedImage } from "../../model/catalogue.ts";
import { type ComparedConfigs, type ConfigDifference, compareConfigs } from "../../model/compare/compare-configs.ts";
import { type ComparedStep, type ComparedSteps, compareSteps } from "../../model/compare/compare-steps.ts";
import { type ImageDetails, readImageDetails, type Step } from "../../model/image-details.ts";
import { bar, type Fill } from "../../parts/bar.ts";
import { section } from "../../parts/blocks.ts";
import { cutDigest } from "../../parts/digest-code.ts";
import { breakable, foreign } from "../../parts/foreign.ts";
import { shortInstruction } from "../../parts/instruction.ts";
import { imageHref } from "../../parts/links.ts";
import { bytes, many, numeral } from "../../parts/quantity.ts";
import { state } from "../../parts/state.ts";
import { cell, row, rowHead, table } from "../../parts/table.ts";
import type { PageRequest, PageResult } from "../page-result.ts";
import { type CompareChoice, compareForm, inOneLine, nothing, sideMark, suggestions } from "./compare-parts.ts";

/** Rows of a list that are shown. */
const MAX_ROWS = 200;
/** Characters of an instruction, and of a value. */
const MAX_INSTRUCTION = 90;
const MAX_VALUE = 400;

interface ComparedImages {
  readonly images: readonly [ListedImage, ListedImage];
  readonly details: readonly [ImageDetails, ImageDetails];
  readonly steps: ComparedSteps;
  readonly configs: ComparedConfigs;
}

/** Two images, one platform of each. */
export async function compareImages(
  { registry, signal }: PageRequest,
  catalogue: Catalogue,
  a: ListedImage,
  b: ListedImage,
  choice: CompareChoice,
): Promise<PageResult> {
  const platforms = [...new Set([...labelsOf(b), ...labelsOf(a)])];
  const common = labelsOf(b).find(label => labelsOf(a).includes(label));
  const wanted = platforms.includes(choice.platform) ? choice.platform : common;
  const read = async (image: ListedImage): Promise<ImageDetails> =>
    await readImageDetails(registry, catalogue, image, wanted, signal);
  const [own, other] = [await read(a), await read(b)];
  const compared: ComparedImages = {
    images: [a, b],
    details: [own, other],
    steps: compareSteps(own.steps, other.steps),
    configs: compareConfigs(own.config, other.config),
  };
  const form = compareForm({ a: a.name, b: b.name, platform: wanted ?? "" }, suggestions(catalogue), platforms);
  return {
    page: () => ({ title: `Compare ${a.name} with ${b.name}`, place: "compare", main: imagesMain(compared, form) }),
    data: () => ({
      a: { name: a.name, digest: a.digest, platform: own.platform?.label ?? null },
      b: { name: b.name, digest: b.digest, platform: other.platform?.label ?? null },
      bytes: compared.steps.bytes,
      steps: compared.steps.rows,
      configuration: compared.configs,
    }),
  };
}

function labelsOf({ platforms }: ListedImage): readonly string[] {
  return platforms.filter(({ state }) => state !== "left out").map(({ label }) => label);
}

function imagesMain(compared: ComparedImages, form: Html): Html {
  const { images, details, steps, configs } = compared;
  const [a, b] = images;
  const labels = details.map(({ platform }) => platform?.label ?? "");
  const differ =
    labels[0] !== labels[1] &&
    html`<p class="note">A is for ${foreign(labels[0] || "no stated platform", MAX_VALUE)}, B for ${foreign(labels[1] || "no stated platform", MAX_VALUE)}: no platform is in both.</p>\n`;
  return html`<div><p class="crumbs">Compare two images</p><h1>${heading(a, b)}</h1><p class="lede">${sentence(compared)}</p></div>
${form}${differ}${inOneLine(steps.bytes)}${stepsSection(compared)}${configSection(configs)}`;
}

function heading(a: ListedImage, b: ListedImage): Html {
  const and = html` <span class="soft">and</span> `;
  const version = ({ tag, digest }: ListedImage): string => tag ?? cutDigest(digest);
  if (a.path === b.path && a.registry === b.registry)
    return html`${breakable(a.path)} ${version(a)}${and}${version(b)}`;
  return html`${breakable(shortName(a))}${and}${breakable(shortName(b))}`;
}

function shortName({ path, tag, digest }: ListedImage): string {
  return tag === undefined ? `${path}@${cutDigest(digest)}` : `${path}:${tag}`;
}

function sentence({ images: [a, b], details, steps, configs }: ComparedImages): Part {
  const [own, other] = details;
  if (a.digest === b.digest || own.platform?.digest === other.platform?.digest) return "A and B are the same image.";
  const { newLayers, sameLayers, bytes: size } = steps;
  const same =
    sameLayers === 0 ? "none is the same" : `${numeral(sameLayers)} ${sameLayers === 1 ? "is" : "are"} the same`;
  if (newLayers > 0 && configs.differences.length === 0 && haveSameFiles(own, other)) {
    return html`The same layers, compressed in another way. A registry that has A still needs <strong>${bytes(size.onlyB)}</strong> more to get B.`;
  }
  if (newLayers > 0) {
    return html`A place that has A needs <strong>${bytes(size.onlyB)}</strong> more to get B: ${many(newLayers, "layer is", "layers are")} new, ${same}.`;
  }
  const what = configs.differences.length > 0 ? "only their configuration differs" : "their manifests differ";
  return html`A has all layers of B: ${what}.`;
}

/** By the diff_ids of the configs: layers of the same bytes, however they are compressed. */
function haveSameFiles({ config: own }: ImageDetails, { config: other }: ImageDetails): boolean {
  const [a, b] = [own?.diffIds ?? [], other?.diffIds ?? []];
  return a.length > 0 && a.length === b.length && a.every((digest, index) => digest === b[index]);
}

function stepsSection({ images, details, steps }: ComparedImages): Html {
  // What both have, and what has no bytes, says nothing.
  const shown = steps.rows.filter(({ a, change }) => change !== "same" || a?.layer !== undefined);
  const all = steps.rows.flatMap(({ a, b }) => [a?.layer?.size ?? 0, b?.layer?.size ?? 0]);
  const scale = Math.max(1, largest(all));
  const side = (index: 0 | 1): Html => {
    const image = images[index];
    return html`<span>${sideMark(index === 0 ? "A" : "B")} <b><a href="${imageHref(image.name, { platform: details[index].platform?.label })}">${breakable(shortName(image))}</a></b> · ${bytes(details[index].layerBytes)}</span>`;
  };
  const rows = shown.slice(0, MAX_ROWS).map(each => stepRow(each, scale));
  const more =
    shown.length > MAX_ROWS &&
    html`<p class="note">The first ${numeral(MAX_ROWS)} of ${numeral(shown.length)} rows are shown.</p>`;
  return section(
    "steps",
    "Layers, step by step",
    "one scale for both sides",
    html`<div class="panel"><ol class="versus"><li class="names">${side(0)}<span class="mid"></span>${side(1)}</li>\n${rows}</ol></div>${more}`,
  );
}

const WORDS = { same: "same", changed: "changed", new: "new", gone: "only in A" } as const;

function stepRow({ a, b, change }: ComparedStep, scale: number): Html {
  const fill = change === "same" ? "shared" : undefined;
  return html`<li class="${change === "same" ? "same" : "diff"}">${stepSide("A", a, fill ?? "void", scale)}<p class="mid">${state(change, WORDS[change])}</p>${stepSide("B", b, fill ?? "own", scale)}</li>\n`;
}

function stepSide(letter: "A" | "B", step: Step | undefined, fill: Fill, scale: number): Html {
  if (step === undefined) return html`<div><p class="void">not in ${letter}</p></div>`;
  const { createdBy, layer } = step;
  const text = shortInstruction(createdBy ?? (layer === undefined ? "" : `layer ${layer.number}`), MAX_INSTRUCTION);
  const size =
    layer === undefined
      ? html`<span class="sz soft">no bytes</span>`
      : html`<span class="sz">${bytes(layer.size)}</span>`;
  const drawn = layer !== undefined && bar(8, [{ fill, share: layer.size / scale }]);
  return html`<div class="side" data-ab="${letter}">${text}${size}${drawn}</div>`;
}

function configSection({ differences, same }: ComparedConfigs): Html | false {
  if (differences.length === 0 && same === 0) return false;
  const columns = [{ text: "What" }, { text: "A" }, { text: "B" }, { text: "Change" }];
  const rows = differences.slice(0, MAX_ROWS).map(configRow);
  const content =
    rows.length === 0
      ? html`<p>No difference.</p>`
      : html`<div class="panel">${table(columns, rows, { labelledBy: "config" })}</div>`;
  const note = `${many(differences.length, "difference")}, ${numeral(same)} the same`;
  return section("config", "Configuration", note, content);
}

function configRow({ name, a, b }: ConfigDifference): Html {
  const value = (text: string | undefined): Part =>
    text === undefined ? nothing() : html`<code>${foreign(text, MAX_VALUE)}</code>`;
  const change =
    a === undefined ? state("new", "new") : b === undefined ? state("gone", "only in A") : state("changed", "changed");
  return row([rowHead(foreign(name, MAX_VALUE)), cell(value(a), "row", "A"), cell(value(b), "row", "B"), cell(change)]);
}
