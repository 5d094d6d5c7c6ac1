// The lamp of scene.ts in AssemblyScript, and the directions across it.

export const LAMP_X: f64 = -7.5
export const LAMP_Y: f64 = 6.2
export const LAMP_Z: f64 = -3.2
export const LAMP_HALF: f64 = 1.1
export const LAMP_R: f64 = 4.2
export const LAMP_G: f64 = 3.3
export const LAMP_B: f64 = 2.4
export const LAMP_RADIUS: f64 = LAMP_HALF * Math.SQRT2
export const LAMP_AWAY = Math.sqrt(LAMP_X * LAMP_X + LAMP_Y * LAMP_Y + LAMP_Z * LAMP_Z)
const LAMP_FLAT = Math.sqrt(LAMP_X * LAMP_X + LAMP_Z * LAMP_Z)
export const UX = LAMP_Z / LAMP_FLAT
export const UZ = -LAMP_X / LAMP_FLAT
export const VX = (-LAMP_Y * LAMP_X) / (LAMP_FLAT * LAMP_AWAY)
export const VY = LAMP_FLAT / LAMP_AWAY
export const VZ = (-LAMP_Y * LAMP_Z) / (LAMP_FLAT * LAMP_AWAY)
