import { sentence } from "../definitions/description.ts";
import { bold, type HelpLayout, paragraph, rowLines } from "./help-layout.ts";
import type { HelpTopic, TopicSection } from "./topics/help-topic.ts";

const MAX_COLUMNS = 32;

/** A page that belongs to no command. */
export function topicLines({ summary, sections }: HelpTopic, layout: HelpLayout): readonly string[] {
  return [...paragraph(sentence(summary), layout), ...sections.flatMap(one => sectionLines(one, layout))];
}

function sectionLines({ title, text, rows }: TopicSection, layout: HelpLayout): readonly string[] {
  const lengths = rows.map(({ term }) => term.length).filter(length => length + 4 <= MAX_COLUMNS);
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
  return [
    "",
    bold(`${title}:`, layout),
    ...text.flatMap(each => paragraph(each, layout, 2)),
    ...(text.length > 0 && rows.length > 0 ? [""] : []),
    ...rowLines(rows, longest + 4, layout),
  ];
}
