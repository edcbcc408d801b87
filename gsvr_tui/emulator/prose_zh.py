"""Building blocks of the emulator's Simplified Chinese sentences."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


TOPICS = _words(
    "冷却回路|抽样方案|资产负债表|边界条件|误差预算|土壤剖面|分压电路|收获日历|问卷设计|归纳证明|负载测试|色彩搭配|"
    "储存环结构|阅读段落|灌溉渠道|市场预测|生长曲线|安全清单|电路原理图|贸易路线|动词变化|压力阀门|野外记录|能量平衡|"
    "排序算法|舞台灯光|对照实验|河流三角洲|应力曲线|开场论点|岩层结构|检索索引|经费条目|和弦进行|哈希表|齿轮传动|"
    "条约文本|滴定曲线|镜头角度|供应链条|神经通路|机翼截面|利率走势|潮汐记录|语序规则|酶促反应|建筑平面图|信号滤波|"
    "典型案例|着陆程序|陶器残片|矩阵乘法|种子库|货运清单|排练计划|轨道周期|印刷工坊|递归步骤|人口金字塔|气象站|"
    "缓存机制|桥梁模型|釉料配方|表决记录|保温材料|押韵方式|库存盘点|晶格结构|疏散路线|回归直线|珊瑚样带|供电系统|"
    "贷款合同|舞谱记号"
)

ACTORS = _words(
    "主讲人|授课教师|另一位发言者|演示人员|讲解员|主持人|指导老师|旁白|前排的一名同学|讨论小组|现场团队|助教|一位来宾|"
    "记录者|研究助理|年轻讲师"
)

VERBS = _words(
    "重新回到|逐项拆解|简要勾画|认真质疑|当场测量|并列比较|完整推导|指出不足并改进|归纳总结|近距离展示|反复检验|重新绘制|"
    "列出并说明|解释设置目的并引出|用秒表记录|加上批注说明|回顾发展历程并介绍|核对数据并修正|有意简化|用数字说明|"
    "寻找薄弱之处并讨论|动手重建|放大细节观察|对照旧版本讲解|绕着实物介绍|当众辩护|标明适用范围并解释|贴上标签区分|"
    "用生活例子比喻|朗读笔记来说明|布置小任务练习|逐步清点并演示|从反面考察|初步得出结论并评价|更正先前说法并补充|"
    "完整铺开讲述"
)

MANNERS = _words(
    "配合一个完整的算例|按照先后顺序|借助手绘的图表|在进入下一部分之前|没有使用任何幻灯片|面对全体听众|通过两个简短的实验|"
    "同时留出提问时间|利用一张简单的表格|始终对着实验台|用通俗的语言|让数字一直留在画面上|以从容的节奏|在素色背景前|"
    "换了一个角度|并说明资料来源|在每个阶段稍作停顿|照顾到初学的人|在接近真实的条件下|在听众的协助下|在大白板上|"
    "再次强调关键数值|为迟到的听众补充|以特写镜头|在短暂休息以后|十分谨慎地|对照去年的情况|像讲侦探故事一样|"
    "只用三种颜色|每次只改变一个数值|并邀请大家举出反例|事先摆好全部工具"
)

LINKS = _words("从而|由此|因此也|这样便|随即|同时|进而|于是|恰好|间接|初步|再次|正好|顺势|在一定程度上|明确地")

EFFECTS = _words(
    "回应了|澄清了|印证了|补充了|修正了|突出了|动摇了|支持了|呼应了|简化了|限定了|细化了|解释了|验证了|拓展了|揭示了|"
    "点明了|延续了"
)

THINGS = _words(
    "先前提出的疑问|黑板上的笔记|最初的估计|一个常见的误解|听众的猜测|两种做法的差别|开头提到的例外|后续步骤的依据|"
    "资料里的数字|上一段的说法|图中特殊形状的成因|出错的代价|方法的适用条件|实践环节的安排|不同观点的分歧|结论的可靠程度|"
    "旧教材的讲法|测量时的误差来源|小组讨论的焦点|成本方面的考虑|安全方面的要求|整个流程的顺序|下一次练习的目标|"
    "来宾的个人经验|题目隐含的前提"
)

LEADS = _words(
    "讲到这里|不久以后|首先|在这一部分中段|作为比较|接下来|为了验证|临近结尾时|简单回顾之后|在一段插话里|与此相对|准备工作完成后|"
    "明确了术语之后|应听众的要求|正如先前承诺的那样|在较为安静的一段里|回应一条评论时|从这里开始|在总结之前|拿出新材料以后|"
    "第二次尝试时|回过头来看|令人意外的是|顺便说一句"
)

PATTERNS = (
    "{actor}{manner}{verb}{topic}这一内容。",
    "{lead}{actor}{verb}{topic}的要点，{result}。",
    "{actor}{verb}{topic}中的关键部分，{result}。",
    "{lead}画面把{topic}与{topic2}放在一起对照，{result}。",
    "谈到{topic}时{actor}{manner}{verb}{topic2}。",
    "{lead}片中{manner}说明了{topic}和{topic2}之间的联系。",
    "关于{topic}的说法同样适用于{topic2}，{result}。",
    "{lead}{actor}{manner}{verb}{topic}，{result}。",
    "在处理完{topic}的问题之后{actor}才开始{verb}{topic2}。",
    "这一段以{topic}为例展开讲述，{result}。",
)

TITLES = (
    "{topic}入门",
    "{topic}的实际运用",
    "从{topic}到{topic2}",
    "{topic}与{topic2}",
    "细看{topic}",
    "{topic}为何重要",
    "检验{topic}",
    "关于{topic}的提问",
    "{topic}详解",
    "读懂{topic}",
    "再谈{topic}",
    "{topic}如何运作",
)

QUESTIONS = (
    "为什么要在这里讨论{topic}？",
    "{topic}与{topic2}之间有什么联系？",
    "{topic}在论证中起什么作用？",
    "如何用{topic2}来检验{topic}？",
    "如果没有{topic}会发生什么变化？",
    "{topic}的局限出现在哪里？",
)

_DIGITS = "零一二三四五六七八九"


def number(value: int) -> str:
    """A whole number below 100,000,000 in Chinese numerals."""
    if value < 0:
        raise ValueError("negative")
    if value >= 10_000:
        head, rest = divmod(value, 10_000)
        gap = "零" if 0 < rest < 1000 else ""
        return number(head) + "万" + (gap + number(rest) if rest else "")
    text = ""
    zero = False
    for unit, sign in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = value // unit % 10
        if digit:
            text += ("零" if zero else "") + _DIGITS[digit] + sign
            zero = False
        elif text:
            zero = True
    if text.startswith("一十"):
        text = text[1:]
    return text or "零"


def duration(seconds: float) -> str:
    """A length of time in words without digits: `三分零四秒`, `一小时二分`."""
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    text = f"{number(hours)}小时" if hours else ""
    if minutes:
        text += f"{number(minutes)}分"
    if rest or not text:
        gap = "零" if text and rest < 10 else ""
        text += f"{gap}{number(rest)}秒"
    return text
