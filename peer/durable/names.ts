/** Where a home keeps what belongs to a durable invocation. */

/** No grant reaches it. */
export const INVOCATIONS = '.invocations'

export const inputName = (id: string): string => `${id}/input`
export const codeName = (id: string): string => `${id}/code`
/** Of all checkpoints, and of one. */
export const checkpointsName = (id: string): string => `${id}/checkpoint`
export const checkpointName = (id: string, number: number): string =>
  `${checkpointsName(id)}/${`${number}`.padStart(6, '0')}`
export const outcomeName = (id: string): string => `${id}/outcome`
/** Of all parts of a journal that has begun anew `journal` times. */
export const journalName = (id: string, journal: number): string => `${id}/journal/${`${journal}`.padStart(6, '0')}`
export const partName = (id: string, journal: number, part: number): string =>
  `${journalName(id, journal)}/${`${part}`.padStart(6, '0')}`
