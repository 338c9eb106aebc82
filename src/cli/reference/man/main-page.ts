import { COMMAND_GROUPS, type CommandDefinition } from "../../definitions/command-definition.ts";
import { withSubcommands } from "../../definitions/with-subcommands.ts";
import { pageNameOf } from "./command-page.ts";
import type { Edition } from "./edition.ts";
import { type ManPage, manPage, type PageReference, seeAlso } from "./man-page.ts";
import { bold, entry, italic, paragraph, request, roff } from "./roff.ts";

/** imgpack(1): all commands. @param topics pages to read next. */
export function mainManPage(
  commands: readonly CommandDefinition[],
  topics: readonly PageReference[],
  edition: Edition,
): ManPage {
  const all = withSubcommands(commands);
  return manPage({ name: "imgpack", section: 1, summary: "move container images across air gaps" }, edition, [
    request("SH", "SYNOPSIS"),
    ...paragraph(`${bold("imgpack")} ${italic("COMMAND")} [${italic("OPTIONS")}] [${italic("ARGUMENT...")}]`),
    request("SH", "DESCRIPTION"),
    ...paragraph(
      roff(
        "imgpack pushes any image archive to any registry, and pulls any image into one archive that docker, podman and containerd all load. The commands below have a page each, and print it with --help.",
      ),
    ),
    request("SH", "COMMANDS"),
    ...COMMAND_GROUPS.flatMap(group => [
      request("SS", group),
      ...all.filter(command => command.group === group).flatMap(command => entry(bold(command.name), command.summary)),
    ]),
    request("SH", "OPTIONS"),
    ...entry(`${bold("-h")}, ${bold("--help")}`, "print the help of imgpack, or of the command"),
    ...entry(bold("--version"), "print the version"),
    ...seeAlso([...topics, ...all.map(command => ({ name: pageNameOf(command), section: 1 as const }))]),
  ]);
}
