package tea.room

import tea.house.Leaf
import tea.water.boil as cook

const val LIMIT = 3
typealias Leaves = List<Leaf>

@Warm
open class Pot(val size: Int) : Vessel(size), Heated {
    private val leaf: Leaf = Leaf()

    constructor() : this(LIMIT)

    override fun pour(cup: Cup): Cup {
        cook(cup)
        return Cup(cup.fill(LIMIT))
    }

    companion object {
        fun brew(): Pot = Pot()
    }
}

interface Heated {
    fun heat(degrees: Int)
}

data class Cup(val size: Int)

object Kitchen {
    var open = true
}

enum class Size {
    SMALL,
    LARGE
}

fun Leaf.steep(): Tea {
    return brew(this)
}
