import { stripVTControlCharacters } from "node:util";

// yargs measures its help with string-width, whose start-up (Intl.Segmenter, emoji tables) costs more than all the rest of
// yargs. Our help is ASCII, where width is length.
/** @param {string} text */
export default function stringWidth(text) {
  return stripVTControlCharacters(text).length;
}
