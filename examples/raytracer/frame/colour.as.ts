// The last colour that was found: functions give back one number at most.

export let R: f64 = 0
export let G: f64 = 0
export let B: f64 = 0

export function colour(r: f64, g: f64, b: f64): void {
  R = r
  G = g
  B = b
}
