import type { PageId } from "../route";

const PATHS: Record<PageId | "more" | "sun" | "moon" | "out" | "lock" | "link", string> = {
  overview: "M3 4h8v7H3zM13 4h8v4h-8zM13 10h8v10h-8zM3 13h8v7H3z",
  alerts: "M6 17V11a6 6 0 0 1 12 0v6l2 2H4zM10 21h4",
  duty: "M6 4h12v17H6zM9 2.500h6v3H9zM9 11h6M9 15h4",
  energy: "M13 2 5 14h6l-1 8 9-13h-6z",
  safety: "M12 3 4 6v6c0 5 3.500 7.500 8 9 4.500-1.500 8-4 8-9V6zM9 12l2 2 4-4",
  ratings: "M4 20V13M9.300 20V9M14.600 20V4M20 20v-9",
  ledger: "M5 4h14v16H5zM9 4v16M12 9h4M12 13h4",
  reports: "M5 3h10l4 4v14H5zM14 3v5h5M8 12h8M8 16h8",
  devices: "M6 6h12v12H6zM10 10h4v4h-4zM9 3v3M15 3v3M9 18v3M15 18v3M3 9h3M3 15h3M18 9h3M18 15h3",
  rules: "M5 4h6a2 2 0 0 1 2 2v14a2 2 0 0 0-2-2H5zM13 6a2 2 0 0 1 2-2h4v14h-4a2 2 0 0 0-2 2",
  accounts: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8M4 21c0-4 3.500-6.500 8-6.500s8 2.500 8 6.500",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.400 1.400M17.600 17.600 19 19M19 5l-1.400 1.400M6.400 17.600 5 19",
  moon: "M20 14A8 8 0 0 1 10 4a8 8 0 1 0 10 10z",
  out: "M14 4h5v16h-5M4 12h11M11 8l4 4-4 4",
  lock: "M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3",
  link: "M9 15l6-6M8 10l-3 3a3.500 3.500 0 0 0 5 5l3-3M16 14l3-3a3.500 3.500 0 0 0-5-5l-3 3",
};

export function Icon({ name, size = 20 }: { name: keyof typeof PATHS; size?: number }) {
  return (
    <svg
      class="icon"
      viewBox="0 0 24 24"
      width={size}
      height={size}
      fill="none"
      stroke="currentColor"
      stroke-width={name === "more" ? 3 : 1.6}
      stroke-linejoin="round"
      stroke-linecap="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
