package tea.room

import tea.house.Leaf
import tea.water.{boil, Cold => Ice}

@Warm
class Pot(val size: Int) extends Vessel(size) with Heated {
  private val leaf: Leaf = Leaf()
  var level = 0

  def pour(cup: Cup): Cup = {
    boil(cup)
    new Cup(cup.fill(Pot.Limit))
  }
}

object Pot {
  val Limit = 3
  def brew(): Pot = new Pot(1)
}

trait Heated {
  type Heat
  def heat(degrees: Int): Unit
}

case class Cup(size: Int)

enum Size {
  case Small, Large
  case Other(n: Int)
}

given warm: Warm = Warm()

def steep(leaf: Leaf): Tea =
  brew(leaf)

case class Cup(volume: Int, leaf: Leaf)

class Shop(val name: String, size: Int) {
  val low, high = 1
}
