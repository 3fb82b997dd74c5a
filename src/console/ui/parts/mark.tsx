/** The gate with its inner door. */
export function Mark() {
  return (
    <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
      <rect class="logo-wall" width="32" height="32" rx="7" />
      <path class="logo-arch" d="M7 26V13a9 9 0 0 1 18 0v13" />
      <path class="logo-door" d="M12.500 26V14.500a3.500 3.500 0 0 1 7 0V26" />
      <path class="logo-arch" d="M5 26h22" />
    </svg>
  )
}
