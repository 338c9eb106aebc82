import { type Block, readPage } from "./page-blocks.ts";

const CODE = ["sh", "bash", "console", "js"];
const COMMAND = /^(?:imgpack|docker|podman|ctr|crictl|openssl|par2|curl|npm|kubectl) /m;

/**
 * The blocks of a page that a test of its own runs. Each block with commands or code is one of them, or a comment before
 * it says why it is not run, or which other test runs it.
 *
 * @throws {Error} if there is one that is neither
 */
export function ownBlocks(path: string, isRun: (block: Block) => boolean): readonly Block[] {
  const blocks = readPage(path).blocks.filter(({ notRun, runBy }) => notRun === undefined && runBy === undefined);
  const left = blocks.filter(block => !isRun(block) && (CODE.includes(block.language) || COMMAND.test(block.text)));
  const places = left.map(({ line, heading }) => `${path}:${line}, ${heading}`);
  if (left.length > 0) throw new Error(`Blocks that are not run and do not say why:\n${places.join("\n")}`);
  return blocks.filter(isRun);
}
