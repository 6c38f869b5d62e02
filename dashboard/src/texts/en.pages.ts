import type { zhPages } from "./zh-CN.pages";

export const enPages: Record<keyof typeof zhPages, string> = {
  "common.comma": "; ",
  "rate.levels": "Levels",
  "level.5": "very satisfied",
  "level.4": "satisfied",
  "level.3": "fairly satisfied",
  "level.2": "dissatisfied",
  "level.1": "very dissatisfied",
  "chapter.安全": "Safety",
  "chapter.消防": "Fire",
  "chapter.厉行节约": "Thrift",
  "chapter.考勤": "Attendance",
  "chapter.卫生": "Hygiene",
  "chapter.AB岗": "Post A/B",
  "chapter.好差评": "Ratings",
  "chapter.AB": "Post A/B",
};
