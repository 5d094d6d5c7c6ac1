/** yaml: a document changed in one place, with its comments kept. */
import { parse, parseDocument, stringify } from 'yaml'

export default function bump({ text, path, value }: { text: string; path: string[]; value: number }) {
  const document = parseDocument(text)
  document.setIn(path, value)
  return { text: document.toString(), data: parse(text), short: stringify({ list: [1, { two: 'x: y' }] }) }
}
