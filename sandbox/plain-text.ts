/** Text that a guest made, fit to be shown: no control characters, none that turn the reading direction, bounded. */
import { PRELUDE_NAME } from './constants.ts'

const UNFIT = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g

/** Line feeds and tabs stay. */
export const plainText = (text: string, charsMax: number): string =>
  text
    .slice(0, 2 * charsMax)
    .replace(UNFIT, '')
    .slice(0, charsMax)
    .toWellFormed()

const STACK_CHARS_MAX = 16_384

const OUR_FRAME = `(${PRELUDE_NAME}:`

/** Text without the frames of the prelude that stacks in it have. */
export const withoutOurFrames = (text: string): string =>
  text.includes(OUR_FRAME)
    ? text
        .split('\n')
        .filter((line) => !line.includes(OUR_FRAME))
        .join('\n')
    : text

export const stackText = (stack: string): string =>
  withoutOurFrames(plainText(stack, STACK_CHARS_MAX))
    .split('\n')
    .filter((line) => line.trim() !== '')
    .join('\n')
