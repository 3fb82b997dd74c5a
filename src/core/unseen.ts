/**
 * What a person would not see, or not as what it is: controls, escape sequences' first characters,
 * format characters (bidi controls, zero-width ones, tags, the soft hyphen), private and unassigned
 * code points, lone surrogates, every separator but the plain space, and what only looks empty
 * (Unicode 16, UAX #44: General_Category C and Z, Default_Ignorable_Code_Point; U+2800). From the
 * fourth combining mark on one letter too: stacked higher, marks cover the lines around them. Use
 * it with `matchAll` and `replace` only: `test` would remember its place.
 */
export const unseen = /(?! )[\p{C}\p{Z}\p{DI}\u2800]|(?<=\p{M}{3})\p{M}/gu
