import { type Html, html } from "../../html/html.ts";
import type { Catalogue } from "../../model/catalogue.ts";
import { alert, commandLine } from "../../parts/blocks.ts";
import { many, numeral } from "../../parts/quantity.ts";
import { faultSentences, faultTitle } from "../fault-words.ts";
import { imageData } from "../image-data.ts";
import type { PageRequest, PageResult } from "../page-result.ts";
import { sourceHeading } from "../source-words.ts";
import { affectedSection, damagedSection, filesSection } from "./damage-parts.ts";
import { repairSection, servedFiles } from "./repair-steps.ts";

/** GET /damage: what is damaged or missing, and what to do about it. */
export async function damagePage(request: PageRequest): Promise<PageResult> {
  const { registry, host } = request;
  const catalogue = await request.catalogue();
  const isHurt = registry.damage.length > 0 || catalogue.totals.broken > 0 || missingVolumes(catalogue).length > 0;
  return {
    // Pieces are checked all the time.
    isKept: false,
    page: () => ({
      title: isHurt ? "Damage" : "No damage found",
      place: "damage",
      main: isHurt ? damageMain(request, catalogue) : noDamageMain(request, catalogue),
    }),
    data: () => ({
      damage: registry.damage.map(({ digest, range, found }) => ({ digest, range, found })),
      missingVolumes: missingVolumes(catalogue),
      pieces: catalogue.bundle?.pieces,
      images: catalogue.images.filter(({ broken }) => broken.length > 0).map(image => imageData(image, host)),
    }),
  };
}

function missingVolumes({ bundle }: Catalogue): readonly number[] {
  return bundle?.volumes?.missing ?? [];
}

function damageMain(request: PageRequest, catalogue: Catalogue): Html {
  const { damage } = request.registry;
  return html`${alert(faultTitle(catalogue), faultSentences(catalogue, damage), "Damaged bytes are never sent: a pull of these images stops with a clear error, the others continue.")}
<div>${source(request, catalogue)}<h1>What is damaged, and how to fix it</h1></div>
${filesSection(catalogue, damage)}
${damagedSection(catalogue, damage)}
${affectedSection(catalogue, damage)}
${repairSection(request, catalogue)}`;
}

function noDamageMain(request: PageRequest, catalogue: Catalogue): Html {
  const { bundle } = catalogue;
  const again =
    bundle !== undefined &&
    html`<p class="note good">To check all of it, at the speed of the disk:</p>${commandLine(`imgpack verify ${servedFiles(bundle)}`)}`;
  return html`<div>${source(request, catalogue)}<h1>No damage found</h1><p class="lede">${checkedWords(catalogue)}</p></div>${again}`;
}

function source({ store }: PageRequest, catalogue: Catalogue): Html {
  const { kind, name } = sourceHeading(catalogue, store);
  return html`<p class="crumbs">${kind} ${name}</p>`;
}

function checkedWords({ bundle }: Catalogue): string {
  if (bundle === undefined) return "Each file is checked while it is sent. Since the start, none was wrong.";
  const { volumes, pieces } = bundle;
  const present = volumes === undefined ? "" : `All ${many(volumes.of, "volume")} are present. `;
  return `${present}${numeral(pieces.checked)} of ${many(pieces.of, "piece")} were checked since the start, each before it was sent.`;
}
