/** Reads a Markdown file and says what is in it. The parser is `marked`, a package from npm, bundled with the function. */
import { lexer, type MarkedToken, type Token, walkTokens } from 'marked'
import { checksum } from './checksum.ts'

export interface Outline {
  name: string
  /** The first heading's text, or the file's name. */
  title: string
  headings: { level: number; text: string }[]
  words: number
  links: string[]
  /** CRC-32 of the file, eight hexadecimal digits. */
  checksum: string
}

/** An item of `--files`. Throws URIError if the file is not UTF-8. */
export default function outline({ name, bytes }: { name: string; bytes: Uint8Array }): Outline {
  const found: Outline = { name, title: name, headings: [], words: 0, links: [], checksum: checksum(bytes) }
  const tokens = lexer(decoded(bytes))
  walkTokens(tokens, (token) => note(token as MarkedToken, found))
  found.title = found.headings[0]?.text ?? name
  return found
}

const note = (token: MarkedToken, found: Outline) => {
  if (token.type === 'heading') found.headings.push({ level: token.depth, text: plain(token.tokens) })
  if (token.type === 'link') found.links.push(token.href)
  if (token.type === 'text' && !token.tokens) found.words += wordCount(token.text)
  if (token.type === 'codespan') found.words += wordCount(token.text)
}

/** The text of inline tokens without their marks. */
const plain = (tokens: Token[]): string =>
  tokens
    .map((token) => ('tokens' in token && token.tokens ? plain(token.tokens) : 'text' in token ? token.text : ''))
    .join('')

const wordCount = (text: string): number => text.match(/[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu)?.length ?? 0

/** UTF-8, by means of the language alone: a sandbox need not have TextDecoder. */
const decoded = (bytes: Uint8Array): string =>
  decodeURIComponent(Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''))
