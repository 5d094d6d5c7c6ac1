/**
 * By what all machines measure how fast they are (`speed` of an advertisement): a function that does some of what functions
 * usually do, objects, arithmetic, text, a sort with a comparison, JSON. It is told how many rounds, and uses the same fuel wherever it runs.
 */
export const CALIBRATION_EXPORT = 'calibrate'

export const CALIBRATION_CODE = `export const calibrate = (rounds) => {
  let x = 1
  for (; rounds > 0; rounds--) {
    const rows = []
    for (let i = 0; i < 100; i++) {
      x = (Math.imul(x, 69069) + 1) >>> 0
      rows.push({ key: x, name: 'row ' + (x % 1000) })
    }
    rows.sort((a, b) => a.key - b.key)
    for (const { name } of JSON.parse(JSON.stringify(rows))) x = (x ^ name.length) >>> 0
  }
  return x
}`

/** As many as a run has that is measured: some 15 ms on a usual machine. */
export const CALIBRATION_ROUNDS = 32
