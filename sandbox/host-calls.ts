/** What the prelude can call outside, in the order in which it is handed them. */
export const HOST_CALLS = [
  'log',
  'request',
  'buffer',
  'fail',
  'done',
  'group',
  'turn',
  'module',
  'moduleCall',
  'moduleRead',
  'moduleWrite',
] as const

/** The numbers by which the engine tells them apart: from 1, in that order. */
export const HOST = Object.fromEntries(HOST_CALLS.map((name, i) => [name, i + 1])) as Record<
  (typeof HOST_CALLS)[number],
  number
>
