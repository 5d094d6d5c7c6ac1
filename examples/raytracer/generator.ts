/** Uniform numbers in [0, 1): SplitMix (Steele, Lea, Flood 2014) in whole numbers of 32 bits, which are exact anywhere. */

let state = 0

/** Begins the numbers anew. Done at each pixel, so that its colour does not depend on the tile in which it is drawn. */
export const seed = (x: number, y: number): void => {
  state = (x * 73856093) ^ (y * 19349663)
}

export const random = (): number => {
  state = (state + 0x9e3779b9) | 0
  let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 4294967296
}
