const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g

/** `text` on one line, without what steers a terminal: others wrote it. */
export const plainText = (text: string): string => text.replace(CONTROLS, ' ')
