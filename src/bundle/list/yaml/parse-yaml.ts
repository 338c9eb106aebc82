import type { ListedReferences } from "../listed-reference.ts";
import { MAX_REFERENCES, MAX_REFUSED } from "../parse-list.ts";
import { findInCompose, isCompose } from "./compose.ts";
import { FoundReferences } from "./found-references.ts";
import { findInKubernetes } from "./kubernetes.ts";
import { parseDocument } from "./parse-document.ts";
import { type RawDocument, splitDocuments, splitJson, splitList } from "./split-documents.ts";
import {
  findInHaulerImages,
  findInImagesLock,
  findInNeedList,
  findInPlainList,
  findInSkopeoSync,
  isHaulerImages,
  isImagesLock,
  isNeedList,
  isPlainList,
  isSkopeoSync,
} from "./tool-lists.ts";
import type { YamlNode } from "./yaml-node.ts";

/** Documents of this kind are large, and name no image. */
const DEFINITION = /^kind:[ \t]*["']?CustomResourceDefinition["']?[ \t]*\r?$/m;
/** Without one of these there is no image in it. */
const CANDIDATE = /image|services|repository|newName|\w[:@]\w|^- /im;
/** Of one file: about 20 MB without long texts, and a minute. */
const MAX_TOKENS = 8_000_000;
/** What a template of Helm has, and no value of a rendered one at the start of a line, or as an image. */
const TEMPLATE_LINE = /^\s*(?:- )?(?:[\w.-]+:\s*)?\{\{/;

export interface ParseYamlOptions {
  /** Variables of compose files, and those next to the file; asked for if there are services. */
  readonly variables: () => Promise<ReadonlyMap<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** Reads a stream of YAML or JSON documents: one after the other, so that memory and time are bounded. */
export async function parseYaml(text: string, file: string, options: ParseYamlOptions): Promise<ListedReferences> {
  const found = new FoundReferences(file);
  const clean = text.replace(/^\uFEFF/, "");
  const documents = /^\s*[{[](?!\{)/.test(clean) ? splitJson(clean) : splitObjects(clean);
  let left = MAX_TOKENS;
  for (const document of documents) {
    if (!CANDIDATE.test(document.text) || DEFINITION.test(document.text)) continue;
    const { root, tokens } = parseDocument(document);
    left -= tokens;
    if (left < 0) {
      found.refuse(document.line, "", `found more than ${MAX_TOKENS} YAML tokens so far, expected smaller files`);
      break;
    }
    if (root !== undefined && "why" in root) {
      const template = templateLine(document);
      if (template === undefined) found.refuse(root.line, lineOf(document, root.line), root.why);
      else found.refuse(template.line, template.text, 'found "{{" where YAML belongs, expected a rendered template');
    } else if (root !== undefined) await findIn(root, found, options);
    if (found.references.length > MAX_REFERENCES) {
      found.refuse(document.line, "", `found more than ${MAX_REFERENCES} references, expected fewer`);
      break;
    }
    if (found.refused.length >= MAX_REFUSED) break;
    // Ctrl+C is heard between two documents.
    await new Promise(resolve => setImmediate(resolve));
    options.signal?.throwIfAborted();
  }
  return found;
}

function* splitObjects(text: string): Generator<RawDocument> {
  for (const document of splitDocuments(text)) yield* splitList(document);
}

async function findIn(root: YamlNode, found: FoundReferences, { variables }: ParseYamlOptions): Promise<void> {
  if (isNeedList(root)) findInNeedList(root, found);
  else if (isHaulerImages(root)) findInHaulerImages(root, found);
  else if (isImagesLock(root)) findInImagesLock(root, found);
  else if (isCompose(root)) findInCompose(root, await variables(), found);
  else if (isSkopeoSync(root)) findInSkopeoSync(root, found);
  else if (isPlainList(root)) findInPlainList(root, found);
  else findInKubernetes(root, found);
}

function templateLine({ text, line }: RawDocument): { readonly line: number; readonly text: string } | undefined {
  if (!text.includes("{{")) return undefined;
  const lines = text.split("\n");
  const at = lines.findIndex(candidate => TEMPLATE_LINE.test(candidate));
  return at === -1 ? undefined : { line: line + at, text: (lines[at] ?? "").trim() };
}

function lineOf({ text, line }: RawDocument, wanted: number): string {
  return (text.split("\n")[wanted - line] ?? "").trim();
}
