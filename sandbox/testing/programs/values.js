// Values as they cross: each export with each input of INPUTS in ../programs.ts.

export const echo = (x) => x

export const described = (x) => [show(x), typeof x, Object.prototype.toString.call(x)]
