import { largest } from "../../../../util/append.ts";
import { type Html, html } from "../../html/html.ts";
import type { ListedImage } from "../../model/catalogue.ts";
import type { ImageDetails, Step, StepLayer } from "../../model/image-details.ts";
import { bar, type Fill, type LegendItem, legend } from "../../parts/bar.ts";
import { section } from "../../parts/blocks.ts";
import { digestCode } from "../../parts/digest-code.ts";
import { foreign } from "../../parts/foreign.ts";
import { instruction } from "../../parts/instruction.ts";
import { layerHref } from "../../parts/links.ts";
import { bytes, many, numeral } from "../../parts/quantity.ts";
import { state } from "../../parts/state.ts";
import { brokenBlobWords } from "../fault-words.ts";

/** A config may have hundreds of thousands of steps. */
const MAX_STEPS = 1000;

/** Layers and history in one list, first step on top. */
export function layersSection(image: ListedImage, details: ImageDetails): Html {
  const { steps, platform, layerBytes, hasHistory } = details;
  const layers = steps.flatMap(({ layer }) => layer ?? []);
  const scale = largest(layers.map(({ size }) => size));
  const rows = steps.slice(0, MAX_STEPS).map(step => stepRow(image, step, scale, platform?.label ?? ""));
  const cut =
    steps.length > MAX_STEPS &&
    html`<p class="note small">The first ${numeral(MAX_STEPS)} of ${many(steps.length, "step")} are shown.</p>`;
  const what = image.isArtifact ? "file" : "layer";
  const label =
    platform !== undefined && platform.label !== "" && !image.isArtifact && html`, ${foreign(platform.label)}`;
  const title = image.isArtifact ? "Content" : html`${hasHistory ? "Layers and history" : "Layers"}${label}`;
  const order = image.isArtifact ? "" : "first step on top · ";
  const note = `${order}${many(layers.length, what)} · ${bytes(layerBytes)}${image.isArtifact ? "" : " compressed"}`;
  return section(
    "layers",
    title,
    note,
    html`<div class="panel layers"><ol>${rows}</ol></div>${cut}`,
    legend(legendOf(layers, image.isArtifact)),
    scaleNote(image, details),
  );
}

function scaleNote({ isArtifact }: ListedImage, { steps, hasHistory }: ImageDetails): Html | false {
  if (steps.length === 0 || isArtifact) return false;
  const history = hasHistory
    ? "Steps without bytes only change the configuration."
    : "The image has no history that fits its layers, so nothing is known of the steps that made them.";
  return html`<p class="note small">Bars are drawn to scale: the longest is this image&rsquo;s largest layer. ${history}</p>`;
}

function stepRow({ name, isArtifact }: ListedImage, { createdBy, layer }: Step, scale: number, platform: string): Html {
  if (layer === undefined) {
    return html`<li class="empty"><span class="n"></span><div>${instruction(createdBy)}</div><span class="sz">no bytes</span></li>\n`;
  }
  const { number, size, title, mediaType, broken } = layer;
  const what = isArtifact ? html`<span class="by">${foreign(title ?? mediaType)}</span>` : instruction(createdBy);
  const drawn = bar(12, [{ fill: fillOf(layer), share: scale === 0 ? 0 : size / scale }]);
  const link = html`<a href="${layerHref(layer.digest, { in: name, platform })}">files<span class="hide"> of layer ${number}</span></a>`;
  const meta = html`<p class="meta">${broken !== undefined && state("bad", brokenBlobWords(broken))}<span>${usesWords(layer, isArtifact)}</span>${link}${digestCode(layer.digest)}</p>`;
  return html`<li${broken !== undefined && html` class="hurt"`} id="layer-${number}"><span class="n">${number}</span><div>${what}</div>${drawn}<span class="sz">${bytes(size)}</span>${meta}</li>\n`;
}

function fillOf({ broken, uses, isElsewhere }: StepLayer): Fill {
  if (broken !== undefined) return "broken";
  if (isElsewhere) return "void";
  return uses > 1 ? "shared" : "own";
}

function usesWords({ uses, isElsewhere }: StepLayer, isArtifact: boolean): string {
  if (isElsewhere) return "not carried: its publisher asks not to copy it";
  if (uses > 1) return `shared with ${many(uses - 1, "other image")}`;
  return onlyHere(isArtifact);
}

function onlyHere(isArtifact: boolean): string {
  return `only in this ${isArtifact ? "artifact" : "image"}`;
}

const LEGEND: readonly { readonly fill: Fill; readonly text: string }[] = [
  { fill: "shared", text: "shared" },
  { fill: "void", text: "not carried" },
  { fill: "broken", text: "damaged or not here" },
];

function legendOf(layers: readonly StepLayer[], isArtifact: boolean): readonly LegendItem[] {
  const fills = new Set(layers.map(fillOf));
  const own = { fill: "own", text: onlyHere(isArtifact) } as const;
  return [own, ...LEGEND].filter(({ fill }) => fills.has(fill));
}
