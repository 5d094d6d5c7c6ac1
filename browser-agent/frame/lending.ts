/** What the frame loads once a person has agreed. */
export const lend = (): void => {}
