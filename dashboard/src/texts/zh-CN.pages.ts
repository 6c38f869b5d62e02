/** 各页的文字（总览与框架见 zh-CN.ts）。 */
export const zhPages = {
  "common.comma": "；",
  "rate.levels": "分布",
  "level.5": "非常满意",
  "level.4": "满意",
  "level.3": "基本满意",
  "level.2": "不满意",
  "level.1": "非常不满意",
  "chapter.安全": "安全",
  "chapter.消防": "消防",
  "chapter.厉行节约": "厉行节约",
  "chapter.考勤": "考勤",
  "chapter.卫生": "卫生",
  "chapter.AB岗": "AB岗",
  "chapter.好差评": "好差评",
  "chapter.AB": "AB岗",
} as const;
