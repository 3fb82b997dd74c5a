const paths = {
  inbox: 'M3 13h4l1.500 3h7l1.500-3h4M5.500 5h13L21 13v6H3v-6z',
  activity: 'M3 12h4l3-8 4 16 3-8h4',
  usage: 'M5 20v-8M12 20V4M19 20v-5',
  evidence: 'M12 3l7 3v5c0 4.500-3 8-7 10-4-2-7-5.500-7-10V6zM9 11.500l2.200 2.200 4-4',
  policies: 'M6 3h9l4 4v14H6zM9 11h7M9 15h7',
  keys: 'M14.500 9.500a4 4 0 1 1-8 0 4 4 0 0 1 8 0zM13.500 12.500l6.500 6.500M17 16l2-2',
  settings:
    'M4 7h9M17 7h3M4 17h3M11 17h9M13 7a2 2 0 1 0 4 0 2 2 0 0 0-4 0zM7 17a2 2 0 1 0 4 0 2 2 0 0 0-4 0z',
  search: 'M16 10.500a5.500 5.500 0 1 1-11 0 5.500 5.500 0 0 1 11 0zM15 15l5 5',
} as const

/** Beside words, never in their place. */
export function Icon({ of }: { of: keyof typeof paths }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths[of]} />
    </svg>
  )
}
