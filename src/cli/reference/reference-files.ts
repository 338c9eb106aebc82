import { commandDefinitions } from "../definitions/command-definitions.ts";
import { withSubcommands } from "../definitions/with-subcommands.ts";
import { HELP_TOPICS } from "../help/topics/help-topics.ts";
import { commandManPage } from "./man/command-page.ts";
import { editionOf } from "./man/edition.ts";
import { mainManPage } from "./man/main-page.ts";
import type { PageReference } from "./man/man-page.ts";
import { topicManPage, topicReference } from "./man/topic-page.ts";
import { commandsPage } from "./page/commands-page.ts";

/** Where the pages of the manual are. */
export const MAN_FOLDER = "man";

/**
 * The files of the reference, by their path in the project, all made from what reads command lines.
 *
 * @param packageJson, changelog the texts of these files, for the version and the date of the manual.
 */
export async function referenceFiles(packageJson: string, changelog: string): Promise<ReadonlyMap<string, string>> {
  const edition = editionOf(packageJson, changelog);
  const commands = await commandDefinitions();
  const topics = HELP_TOPICS.map(topicReference);
  const others = (name: string): readonly PageReference[] => topics.filter(topic => topic.name !== `imgpack-${name}`);
  const pages = [
    mainManPage(commands, topics, edition),
    ...withSubcommands(commands).map(command => commandManPage(command, topics, edition)),
    ...HELP_TOPICS.map(topic => topicManPage(topic, [{ name: "imgpack", section: 1 }, ...others(topic.name)], edition)),
  ];
  const manual = pages.map(({ name, section, text }) => [`${MAN_FOLDER}/${name}.${section}`, text] as const);
  return new Map([
    ["docs/COMMANDS.md", commandsPage(commands, HELP_TOPICS)],
    ...manual,
    ["package.json", withManual(packageJson, manual.map(([path]) => path).sort())],
  ]);
}

/** npm links the pages that `man` names; it looks into no folder. */
function withManual(packageJson: string, man: readonly string[]): string {
  const manifest: object = JSON.parse(packageJson);
  return `${JSON.stringify({ ...manifest, man }, null, 2)}\n`;
}
