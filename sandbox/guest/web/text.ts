/** Texts and bytes: the Encoding standard's TextEncoder and TextDecoder, and base64 as HTML has it. */
export { atob, btoa } from './base64.ts'
export { TextDecoder } from './text-decoder.ts'
export { decodeUtf8, encodeUtf8, TextEncoder, viewOf } from './utf8.ts'
