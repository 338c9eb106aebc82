import { ANNOTATION_LICENSES } from "../../../../oci/annotations.ts";
import type { ImageConfig } from "../../../../oci/image-config.ts";
import { compareText } from "../../../../oci/semver.ts";
import { type Html, html, type Part } from "../../html/html.ts";
import type { ImageDetails } from "../../model/image-details.ts";
import { keyValues } from "../../parts/blocks.ts";
import { breakable, foreign, MAX_SHOWN } from "../../parts/foreign.ts";
import { numeral } from "../../parts/quantity.ts";

/** Labels, variables or annotations that are shown. */
const MAX_VALUES = 200;
/** Characters of all of them together: 200 of 4,096 characters would be a page that no one reads. */
const MAX_CHARACTERS = 64 * 1024;

/** How a container starts, its environment, its labels and licences. */
export function configSections({ config, annotations }: ImageDetails): Html {
  const labels = config?.runtime.labels ?? {};
  const licence = labels[ANNOTATION_LICENSES] ?? annotations[ANNOTATION_LICENSES];
  const licences = licence !== undefined && keyValues([["Label says", code(licence)]]);
  return html`<div class="pair">${config !== undefined && titled("config", "Configuration", configuration(config))}
${config !== undefined && titled("environment", "Environment", values(config.runtime.env.map(split)))}
${titled("labels", "Labels", config === undefined ? false : values(Object.entries(labels).sort(byName)))}
${titled("annotations", "Annotations", values(Object.entries(annotations).sort(byName)))}
${titled("licences", "Licences", licences)}</div>`;
}

function titled(id: string, title: string, content: Html | false): Html | false {
  return (
    content !== false &&
    html`<section aria-labelledby="${id}"><h2 id="${id}" class="head">${title}</h2>${content}</section>`
  );
}

function configuration({ runtime, author }: ImageConfig): Html {
  const { entrypoint, cmd, user, workingDir, exposedPorts, volumes } = runtime;
  const none = html`<span class="soft">none</span>`;
  const words = (list: readonly string[]): Part => (list.length === 0 ? none : code(list.map(quoted).join(" ")));
  const codes = (list: readonly string[]): Part =>
    list.slice(0, MAX_VALUES).map((each, index) => html`${index > 0 && ", "}${code(each)}`);
  const pairs: [string, Part][] = [
    ["Entrypoint", words(entrypoint)],
    ["Command", words(cmd)],
    ["User", user === undefined ? html`<span class="soft">not set: root</span>` : code(user)],
  ];
  if (workingDir !== undefined) pairs.push(["Working folder", code(workingDir)]);
  if (exposedPorts.length > 0) pairs.push(["Ports", codes(exposedPorts)]);
  if (volumes.length > 0) pairs.push(["Volumes", codes(volumes)]);
  if (author !== undefined) pairs.push(["Author", foreign(author)]);
  return keyValues(pairs);
}

/** As a shell would need it: quotes only where a word has blanks or is empty. */
function quoted(word: string): string {
  return /^[^\s"'\\]+$/.test(word) ? word : JSON.stringify(word);
}

function split(variable: string): readonly [string, string] {
  const at = variable.indexOf("=");
  return at < 0 ? [variable, ""] : [variable.slice(0, at), variable.slice(at + 1)];
}

/** False if there are none. */
function values(pairs: readonly (readonly [string, string])[]): Html | false {
  if (pairs.length === 0) return false;
  let left = MAX_CHARACTERS;
  const shown: (readonly [Part, Part])[] = [];
  for (const [name, value] of pairs.slice(0, MAX_VALUES)) {
    if (left <= 0) break;
    shown.push([
      html`<code>${breakable(name.slice(0, MAX_NAME))}</code>`,
      value === "" ? html`<span class="soft">empty</span>` : code(value),
    ]);
    left -= Math.min(name.length, MAX_NAME) + Math.min(value.length, MAX_SHOWN);
  }
  const hidden = pairs.length - shown.length;
  return html`${keyValues(shown, "kv tall")}${hidden > 0 && html`<p class="note small">${numeral(hidden)} more not shown.</p>`}`;
}

const MAX_NAME = 256;

function code(text: string): Html {
  return html`<code>${foreign(text)}</code>`;
}

function byName([left]: readonly [string, string], [right]: readonly [string, string]): number {
  return compareText(left, right);
}
