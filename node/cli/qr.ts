/** A QR code for a camera that looks at the terminal. */
import { encode, renderUnicodeCompact } from 'uqr'

/** As many light modules around it as a camera needs at least, beside the dark frame that a terminal is. */
const BORDER = 2
/** The lowest level of correction: a screen has no dirt on it, and fewer modules are larger ones. */
const OPTIONS = { ecc: 'L', border: BORDER } as const
/** Light on dark whatever the colours of the terminal: many readers want it that way round. */
const LIGHT_ON_DARK = '\x1b[97;40m'
const RESET = '\x1b[0m'

/**
 * `url` as lines of half blocks, two modules high each; undefined if it is wider than `columns`. With `colour` it is the
 * same on light terminals.
 */
export const qrLines = (url: string, columns: number, colour: boolean): string[] | undefined => {
  if (encode(url, OPTIONS).size > columns) return undefined
  const lines = renderUnicodeCompact(url, OPTIONS).split('\n')
  return colour ? lines.map((line) => `${LIGHT_ON_DARK}${line}${RESET}`) : lines
}
